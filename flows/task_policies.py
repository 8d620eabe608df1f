"""When and how often a task is tried again.

What Jizhun knows as a failure (bad files, nothing in common) is a result and is not tried again: the same
input gives the same refusal. Tried again is what may pass: a file system that stumbled, a worker that the
system killed.
"""

from typing import Any, Final

from transforms.errors import JizhunError

STATION_DAY_RETRIES: Final = 2
STATION_DAY_RETRY_DELAY_S: Final = 2.0
PUBLICATION_RETRIES: Final = 1
PUBLICATION_RETRY_DELAY_S: Final = 5.0


def may_pass(task: Any, task_run: Any, state: Any) -> bool:
    """Prefect's retry condition: whether the failure of a task is worth another try."""
    try:
        state.result()
    except JizhunError:
        return False
    except OSError:
        return True
    return False
