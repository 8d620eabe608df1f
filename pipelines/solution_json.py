"""A station solution as `--json` shows it: for machines, rounded to what is known."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from pipelines.record_json import record_from_json, record_to_json
from stations.records import InputFile, StationSolution
from transforms.errors import InputError
from transforms.geodetic import enu_covariance
from transforms.time_scales import TimeScale

POSITION_DECIMALS: Final = 4  # 0.1 mm
SIGMA_DECIMALS: Final = 5
COVARIANCE_DIGITS: Final = 7
RESIDUAL_DECIMALS: Final = 5
SOLUTION_FILE_FORMAT: Final = "jizhun-station-solution-1"


def solution_contract(solution: StationSolution, seconds: float) -> dict[str, Any]:
    """The object of `jizhun station solve --json`.

    seconds : processor's wall time of reading and solving, s (the one value that differs from run to run)
    """
    sigma_enu_m = np.sqrt(np.diag(enu_covariance(solution.position_ecef_m, solution.covariance_m2)))
    delays = solution.zenith_delays
    content: dict[str, Any] = {
        "station": solution.station,
        "epoch": solution.epoch.to(TimeScale.GPST).iso(),
        "frame": solution.frame,
        "position_ecef_m": _rounded(solution.position_ecef_m, POSITION_DECIMALS),
        "covariance_m2": [
            [float(f"{value:.{COVARIANCE_DIGITS - 1}e}") for value in row] for row in solution.covariance_m2
        ],
        "sigma_enu_m": _rounded(sigma_enu_m, SIGMA_DECIMALS),
        "n_epochs": solution.n_epochs,
        "n_observations": solution.n_observations,
        "systems": list(solution.systems),
        "signals": list(solution.signals),
        "ambiguities": solution.ambiguities,
        "fixed_fraction": round(solution.fixed_fraction, 4),
        "residual_rms_m": {
            "phase": round(solution.residual_rms_phase_m, RESIDUAL_DECIMALS),
            "code": round(solution.residual_rms_code_m, RESIDUAL_DECIMALS),
        },
        "rejections": dict(solution.rejections),
        "zenith_delay_m": [
            {
                "epoch": delays.epochs[i].to(TimeScale.GPST).iso(),
                "value": round(float(delays.total_m[i]), POSITION_DECIMALS),
                "sigma": round(float(delays.sigma_m[i]), POSITION_DECIMALS),
            }
            for i in range(len(delays.epochs))
        ],
        "inputs": [_input(item) for item in solution.inputs],
        "seconds": round(seconds, 2),
        # beside the contract: what a reader needs to trust the numbers
        "centre": solution.centre,
        "remarks": list(solution.remarks),
    }
    if solution.kinematic_epochs is not None and solution.kinematic_position_ecef_m is not None:
        content["kinematic"] = [
            {
                "epoch": solution.kinematic_epochs[i].to(TimeScale.GPST).iso(),
                "position_ecef_m": _rounded(solution.kinematic_position_ecef_m[i], POSITION_DECIMALS),
            }
            for i in range(len(solution.kinematic_epochs))
        ]
    return content


def solution_file_bytes(solution: StationSolution) -> bytes:
    """A solution with nothing lost, as a file that `jizhun network combine` reads."""
    return f'{{"format":"{SOLUTION_FILE_FORMAT}","solution":{record_to_json(solution)}}}\n'.encode()


def read_solution_file(path: Path, content: bytes) -> StationSolution:
    """The solution of a file that `solution_file_bytes` wrote; InputError where it is another thing."""
    head = f'{{"format":"{SOLUTION_FILE_FORMAT}","solution":'
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a station solution (not text)") from None
    if not text.startswith(head) or not text.endswith("}"):
        raise InputError(
            f'{path}: not a station solution of "jizhun station solve --out" ({SOLUTION_FILE_FORMAT})'
        )
    try:
        return record_from_json(StationSolution, text[len(head) : -1])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _rounded(values: Any, decimals: int) -> list[float]:
    return [round(float(value), decimals) for value in values]


def _input(item: InputFile) -> dict[str, str]:
    return {"path": item.path, "sha256": item.sha256}
