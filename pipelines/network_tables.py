"""An adjusted network as CSV tables and as the JSON object of `network adjust`."""

import math
import re
from pathlib import Path
from typing import Any, Final

from datum.formats.csv_table import write_table
from pipelines.adjusted_network import MILLIMETRES, AdjustedNetwork, StationRow, observation_rows

_WITH_LINE: Final = re.compile(r"(.*) \(line (\d+)\)\Z")


def write_station_table(path: Path, adjusted: AdjustedNetwork) -> None:
    """Write the stations: coordinates to 0.01 mm, sigmas to 0.001 mm; the same bytes every time."""
    first, second, third = adjusted.component_names
    on_earth = adjusted.is_on_earth
    columns = ["station", "x_m", "y_m", "z_m" if on_earth else "height_m"]
    if on_earth:
        columns += ["latitude_deg", "longitude_deg", "ellipsoidal_height_m"]
    columns += [f"sigma_{name}_mm" for name in (first, second, third)]
    columns += ["role", "observations", "frame", "epoch", "description"]
    epoch = "" if adjusted.network.epoch is None else adjusted.network.epoch.iso()
    rows = []
    for row in adjusted.stations:
        cells = [row.name, *(_text(value, 5) for value in row.position_m)]
        if row.geodetic_deg is not None:
            latitude, longitude, height = row.geodetic_deg
            cells += [f"{latitude:.10f}", f"{longitude:.10f}", f"{height:.5f}"]
        cells += [_text(value * MILLIMETRES, 3) for value in row.sigma_m]
        cells += [row.role, str(row.n_observations), adjusted.network.frame, epoch, row.description]
        rows.append(cells)
    write_table(path, columns, rows)


def write_observation_table(path: Path, adjusted: AdjustedNetwork) -> None:
    """Write the observations with residuals, statistics and reliability."""
    columns = (
        "observation", "kind", "component", "from", "to", "group", "observed", "adjusted", "residual",
        "sigma", "unit_of_residual", "normalised", "w", "tau", "redundancy", "minimal_detectable_bias",
        "external_reliability", "accepted", "line_in_file",
    )  # fmt: skip
    write_table(
        path,
        columns,
        (
            (
                row.name,
                row.kind,
                row.component,
                row.frm,
                row.to,
                row.group,
                f"{row.observed:.{_digits(row.unit)}f}",
                f"{row.adjusted:.{_digits(row.unit)}f}",
                f"{row.residual:.3f}",
                f"{row.sigma:.3f}",
                "arcsec" if row.unit != "mm" else "mm",
                _text(row.normalised, 3),
                _text(row.w, 3),
                _text(row.tau, 3),
                _text(row.redundancy, 4),
                "" if row.detectable is None else f"{row.detectable:.3f}",
                "" if row.external_reliability is None else f"{row.external_reliability:.3f}",
                "yes" if row.accepted else "no",
                str(row.line_in_file or ""),
            )
            for row in observation_rows(adjusted)
        ),
    )


def _digits(unit: str) -> int:
    return 5 if unit == "mm" else 9


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def adjustment_json(adjusted: AdjustedNetwork) -> dict[str, Any]:
    """The object of `network adjust --json`. Metres; sigmas at the published variance factor."""
    result, network = adjusted.adjustment, adjusted.network
    return {
        "geometry": result.geometry.value,
        "frame": network.frame or None,
        "epoch": None if network.epoch is None else network.epoch.iso(),
        "datum": result.datum_words,
        "n_stations": len(adjusted.stations),
        "n_observations": result.n_observations,
        "n_unknowns": result.n_unknowns,
        "n_conditions": result.n_conditions,
        "degrees_of_freedom": result.degrees_of_freedom,
        "chi_square": _significant(result.chi_square),
        "sigma_zero": _significant(result.sigma_zero),
        "test_limits": [_significant(value) for value in result.test_limits],
        "test_passed": None
        if result.degrees_of_freedom <= 0
        else result.test_limits[0] <= result.sigma_zero <= result.test_limits[1],
        "variance_factor_applied": _significant(adjusted.factor),
        "iterations": result.iterations,
        "variance_components": {
            group: {"factor": _significant(factor), "redundancy": _significant(redundancy)}
            for group, (factor, redundancy) in sorted(result.variance_components.items())
        },
        "rejected": [
            {
                **_named_with_line(item.subject),
                "reason": item.reason,
                "statistic": _significant(item.statistic),
                "limit": _significant(item.limit),
            }
            for item in result.rejections
        ],
        "stations": [_station(adjusted, row) for row in adjusted.stations],
        "remarks": list(dict.fromkeys((*network.remarks, *result.remarks))),
        "inputs": [{"path": item.path, "sha256": item.sha256} for item in network.inputs],
    }


def _named_with_line(subject: str) -> dict[str, Any]:
    """An observation's name and its line in the file, which the engine's words hold together."""
    match = _WITH_LINE.match(subject)
    if match is None:
        return {"observation": subject, "line_in_file": None}
    return {"observation": match.group(1), "line_in_file": int(match.group(2))}


def _significant(value: float) -> float | None:
    """Ten significant digits, which no machine differs in; None where there is no number."""
    return float(f"{value:.10g}") if math.isfinite(value) else None


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _station(adjusted: AdjustedNetwork, row: StationRow) -> dict[str, Any]:
    names = adjusted.component_names
    content: dict[str, Any] = {"station": row.name, "role": row.role}
    if row.geodetic_deg is not None:
        latitude, longitude, height = row.geodetic_deg
        content |= {
            "position_ecef_m": [_rounded(value, 5) for value in row.position_m],
            "latitude_deg": round(latitude, 10),
            "longitude_deg": round(longitude, 10),
            "ellipsoidal_height_m": round(height, 5),
        }
    else:
        x, y, height = row.position_m
        content |= {"x_m": _rounded(x, 5), "y_m": _rounded(y, 5), "height_m": _rounded(height, 5)}
    content |= {
        f"sigma_{''.join(name[0] for name in names)}_m" if adjusted.is_on_earth else "sigma_m": [
            _rounded(value, 6) for value in row.sigma_m
        ],
        "correction_m": [_rounded(value, 6) for value in row.correction_m],
        "n_observations": row.n_observations,
    }
    if row.ellipse is not None:
        content["ellipse"] = {
            "confidence": adjusted.confidence,
            "major_m": round(row.ellipse.major_m, 6),
            "minor_m": round(row.ellipse.minor_m, 6),
            "azimuth_deg": round(math.degrees(row.ellipse.azimuth_rad), 3),
        }
    return content
