"""A baseline as files: SINEX 2.02 with its normal equations, a CSV row and JSON with the full covariance."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.days import day_name
from pipelines.station_baseline import VECTOR_DECIMALS, baseline_contract
from stations.formats.atomic_write import write_atomically
from stations.formats.sinex import AGENCY, SinexDocument, SinexPosition, document_of_positions, write_sinex
from stations.formats.sinex_records import SinexNormalEquations
from stations.records import BaselineSolution
from transforms.covariance import for_publication
from transforms.errors import InputError
from transforms.time_scales import TimeScale

# A session's vector says nothing of where its first station is: the file holds it this loosely, so that the
# covariance exists (a vector's own is 1e-6 m2 and less, and 15 digits keep both).
HELD_LOOSELY_M: Final = 1.0
SIGNIFICANT: Final = "1"  # constraint code of the station so held (SINEX 2.02, table of constraint codes)
CSV_COLUMNS: Final = (  # the table of vectors of docs/network-csv.md
    "from", "to", "dx_m", "dy_m", "dz_m",
    "cxx_m2", "cxy_m2", "cxz_m2", "cyy_m2", "cyz_m2", "czz_m2", "frame", "epoch",
)  # fmt: skip


def write_baseline(folder: Path, solution: BaselineSolution) -> list[Path]:
    """Write FROM-TO_YYYY-DDD.snx, .csv and .json; the same solution gives the same bytes.

    Raises InputError where the folder cannot be written, or both stations have one name.
    """
    if solution.from_station == solution.to_station:
        raise InputError(
            f"both stations are called {solution.from_station}: a file cannot tell the vector's ends apart"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
    name = f"{solution.from_station}-{solution.to_station}_{day_name(solution.epoch.date())}"
    paths = [folder / f"{name}.{kind}" for kind in ("snx", "csv", "json")]
    write_sinex(baseline_sinex(solution), paths[0])
    write_atomically(paths[1], vector_csv(solution))
    contract = baseline_contract(solution)
    write_atomically(paths[2], (json.dumps(contract, ensure_ascii=False, indent=2) + "\n").encode())
    return paths


def baseline_sinex(solution: BaselineSolution) -> SinexDocument:
    """The SINEX document of a baseline: both stations, the first held by one metre, and its normal equations.

    The estimates' covariance is [[h, h], [h, h + v]] with v of the vector and h of the hold: whoever takes
    the difference of both stations has v again. The normal equations are of the vector alone, without the
    hold, about the values of SOLUTION/APRIORI, which are the estimates.
    """
    vector_m = np.round(solution.vector_ecef_m, VECTOR_DECIMALS)
    covariance_m2 = for_publication(solution.covariance_m2)
    base_m = np.round(solution.base_position_ecef_m, VECTOR_DECIMALS)
    hold_m2 = HELD_LOOSELY_M**2 * np.eye(3)
    middle = solution.epoch
    positions = [
        SinexPosition(
            name, "", 1, place, place, middle, solution.first_epoch, solution.last_epoch, middle, setup
        )
        for name, place, setup in (
            (solution.from_station, base_m, solution.from_setup),
            (solution.to_station, base_m + vector_m, solution.to_setup),
        )
    ]
    document = document_of_positions(
        positions,
        np.block([[hold_m2, hold_m2], [hold_m2, hold_m2 + covariance_m2]]),
        frame=solution.frame,
        description=f"Vector {solution.from_station} to {solution.to_station}, {solution.ambiguities}",
        statistics={"NUMBER OF OBSERVATIONS": float(solution.n_observations)},
        remarks=(
            f"Double differences: the vector is what was measured; {solution.from_station} is held by "
            f"{HELD_LOOSELY_M:g} m. The normal equations hold the vector alone.",
            *solution.remarks,
        ),
        created=solution.last_epoch,
        agency=AGENCY,
    )
    weight = for_publication(np.linalg.inv(covariance_m2))
    held = [replace(p, constraint=SIGNIFICANT, sigma=HELD_LOOSELY_M) for p in document.apriori[:3]]
    estimates = [replace(p, constraint=SIGNIFICANT) for p in document.estimates[:3]]
    return replace(
        document,
        header=replace(document.header, constraint=SIGNIFICANT),
        apriori=(*held, *document.apriori[3:]),
        estimates=(*estimates, *document.estimates[3:]),
        normal_equations=SinexNormalEquations(
            tuple(replace(p, value=0.0, sigma=0.0) for p in (*held, *document.apriori[3:])),
            np.zeros(6),
            np.block([[weight, -weight], [-weight, weight]]),
        ),
    )


def vector_csv(solution: BaselineSolution) -> bytes:
    """A table of one row, for a network adjustment: the vector, marker to marker, and its covariance."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    covariance_m2 = for_publication(solution.covariance_m2)
    writer.writerow(
        [
            solution.from_station,
            solution.to_station,
            *(f"{value:.{VECTOR_DECIMALS}f}" for value in solution.vector_ecef_m),
            *(f"{value:.8e}" for value in covariance_m2[np.triu_indices(3)]),
            solution.frame,
            solution.epoch.to(TimeScale.GPST).iso(),
        ]
    )
    return out.getvalue().encode()
