"""Prefect's embedded server ends with the process that started it, however that ends.

Prefect stops its server at the exit of Python. A killed process has no exit: its server would hold a port,
the database and the caller's pipes for ever.
"""

import subprocess
import sys
from typing import Any, Final

# Waits for the end of its standard input, whose other end the parent alone holds, then kills the server. The
# server is held by a file descriptor where the system can (Linux), so that a reused number is never hit.
_GUARD: Final = """
import os, signal, sys
server = int(sys.argv[1])
try:
    held = os.pidfd_open(server) if hasattr(os, "pidfd_open") else None
    sys.stdin.buffer.read()
    if held is None:
        os.kill(server, signal.SIGKILL)
    else:
        signal.pidfd_send_signal(held, signal.SIGKILL)
except ProcessLookupError:
    pass
"""


def guard(server: subprocess.Popen[Any]) -> subprocess.Popen[bytes]:
    """Start a small process that kills `server` when this process has ended; it ends itself then."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _GUARD, str(server.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it
    )


def guard_embedded_server() -> None:
    """Let every server that Prefect starts from this process be guarded; a second call does nothing.

    Import of Prefect: call after `prepare_prefect`.
    """
    from prefect.server.api.server import SubprocessASGIServer

    start = SubprocessASGIServer._run_uvicorn_command
    if hasattr(start, "guards"):
        return
    guards: list[subprocess.Popen[bytes]] = []  # kept: a guard that is let go closes its input

    def start_guarded(server: SubprocessASGIServer) -> subprocess.Popen[Any]:
        process = start(server)
        guards.append(guard(process))
        return process

    start_guarded.guards = guards  # type: ignore[attr-defined]
    SubprocessASGIServer._run_uvicorn_command = start_guarded  # type: ignore[assignment, method-assign]
