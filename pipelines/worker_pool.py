"""Processes for station-days: fresh, one thread of linear algebra each, none that outlives its parent."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# Several libraries of linear algebra each take all cores; with one process for each core that is a brawl.
THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
STANDARD_OUTPUT: Final = 1  # file descriptor, POSIX
ORPHANED: Final = 1  # exit code of a worker whose parent is gone; nobody is left to read it


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pool(n_tasks: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for station-days: fresh ones (no inherited locks), each with one thread of linear algebra."""
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            max_workers=max(1, min(processors(), n_tasks)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
        ) as pool,
    ):
        try:
            yield pool
        except BaseException:
            # Interrupted or failed: what has not begun shall not begin.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def results_of(
    tasks: Sequence[Task], work: Callable[[Task], Result], *, of_the_dead: Callable[[Task], Result]
) -> Iterator[Result]:
    """What `work` gives of every task, as it is ready: one task here, several in parallel processes.

    work : a function of a module, so that processes find it; of_the_dead : the result where its process died
    """
    if len(tasks) == 1:
        yield work(tasks[0])
        return
    with worker_pool(len(tasks)) as pool:
        waiting = {pool.submit(work, task): task for task in tasks}
        for future in as_completed(waiting):
            try:
                result = future.result()
            except BrokenProcessPool:
                result = of_the_dead(waiting[future])
            yield result


def _begin_worker() -> None:
    """Leave interrupts and the parent's standard output to the parent, and end when it ends.

    Ctrl-C reaches every process of a terminal; one of them answers. Standard output belongs to the command's
    result; standard error stays, for what a library has to say before it crashes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STANDARD_OUTPUT)
    os.close(nowhere)
    threading.Thread(target=_end_with_the_parent, name="end with the parent", daemon=True).start()


def _end_with_the_parent() -> None:
    """Wait for the parent's end, however it comes, and end at once.

    A killed parent cannot shut its pool down, and a worker would wait for ever for the next task. (Linux's
    PR_SET_PDEATHSIG would not do: it follows the thread that made the process, and Prefect's tasks are
    threads that end before the pool does.)
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ORPHANED)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let child processes start with one thread of linear algebra, and put the environment back."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
