"""Prefect's settings for this project, which have to stand in the environment before Prefect is imported.

Whatever the user has set stays: `PREFECT_API_URL` for a server that runs already, above all.
"""

import os
from pathlib import Path
from typing import Final

from transforms.errors import InputError

# A cold embedded server needs 19 to 34 s on two processors, and Prefect's own limit is 20 s.
STARTUP_TIMEOUT_S: Final = 180
SETTINGS: Final = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_TIMEOUT_S),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # An error comes back as the exception that it is; Prefect's own account of it would bury the table.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
}


def prepare_prefect(home: Path) -> None:
    """Set Prefect's environment, its home among it, where the user has not.

    Raises InputError where the home cannot be made: without it the server would be waited for in vain.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    chosen = Path(os.environ.setdefault("PREFECT_HOME", str(home.resolve())))
    try:
        chosen.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{chosen}: Prefect's home cannot be made: {error.strerror}") from None
