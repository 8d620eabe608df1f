"""The tie of a local datum to the national frame: parameters, covariance, residuals, a pipeline for PROJ."""

import json
from pathlib import Path

from datum.formats.common_points_csv import read_common_points
from datum.records import LocalDatumFit
from datum.transformation.fit import fit_local_datum
from pipelines.settings import CommonPointSettings
from stations.formats.atomic_write import write_atomically
from transforms.covariance import for_publication


def fit_common_points(settings: CommonPointSettings) -> LocalDatumFit:
    """Read the common points of a region and fit the local datum to the national frame."""
    return fit_local_datum(read_common_points(settings.file), kind=settings.kind)


def write_local_datum_product(folder: Path, fit: LocalDatumFit, *, simulated: bool = False) -> None:
    """Write local_datum.json and local_datum.proj (the PROJ pipeline alone, for `cct` and pyproj).

    simulated : say in the JSON that the common points are
    """
    content = {
        "source_datum": fit.source_datum,
        "target_frame": fit.target_frame,
        "kind": fit.kind,
        "parameters": {name: float(for_publication(value, 12)) for name, value in fit.parameters.items()},
        "covariance": for_publication(fit.covariance).tolist(),
        "rms_m": round(fit.rms_m, 5),
        "residual_m": {
            name: [round(float(value), 5) for value in residual]
            for name, residual in sorted(fit.residual_m.items())
        },
        "rejections": [
            {
                "subject": item.subject,
                "reason": item.reason,
                "statistic": round(item.statistic, 4),
                "limit": round(item.limit, 4),
            }
            for item in fit.rejections
        ],
        "proj_pipeline": fit.proj_pipeline,
        **({"simulated": True} if simulated else {}),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    write_atomically(folder / "local_datum.json", (text + "\n").encode())
    write_atomically(folder / "local_datum.proj", (fit.proj_pipeline + "\n").encode())
