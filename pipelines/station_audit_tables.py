"""An audited network as JSON, CSV and GeoJSON: one row for each station-day, in the order given."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from stations.readiness.records import GeometryFigures, StationAudit

DECIMALS: Final = 6
_KINDS: Final = ("MEO", "IGSO", "GEO")
_CARRIERS: Final = ("B1C", "B2a", "B2b", "B1I", "B3I")


def audit_json(audit: StationAudit) -> dict[str, Any]:
    """The record by its own names, with both shares of gain; figures rounded to 1e-6."""
    content: dict[str, Any] = _plain(asdict(audit))
    content["gain"]["had"] = _rounded(audit.gain.had)
    content["gain"]["to_come"] = _rounded(audit.gain.to_come)
    return content


def network_json(audits: Sequence[StationAudit], failures: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The object of `jizhun station audit --json`."""
    return {"station_days": [audit_json(a) for a in audits], "failures": list(failures)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return _rounded(value)
    return value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), DECIMALS)


def audit_row(audit: StationAudit) -> dict[str, Any]:
    """The flat row of the table and of the map's properties; None where there is no figure."""
    tracking, gain, solved = audit.tracking, audit.gain, audit.solved
    row: dict[str, Any] = {
        "station": audit.station,
        "day": audit.day,
        "class": audit.readiness.value,
        "reason": audit.reasons[0] if audit.reasons else "",
        "receiver": audit.receiver,
        "firmware": audit.firmware,
        "receiver_ability": audit.receiver_ability,
        "antenna": audit.antenna,
        "antenna_calibrated_for_bds3": audit.antenna_readiness.fit,
        "rinex_version": audit.rinex_version,
    }
    for kind in _KINDS:
        row[f"{kind.lower()}_tracked"] = tracking.count(kind, tracked=True)
        row[f"{kind.lower()}_visible"] = tracking.count(kind, tracked=False)
    for carrier in _CARRIERS:
        row[f"satellites_{carrier}"] = tracking.satellites_by_carrier[carrier]
    for name, figures in (("without", gain.without), ("today", gain.today), ("full", gain.full)):
        row[f"pdop_{name}"] = _figure(figures, "mean_pdop", 2)
        row[f"sigma_3d_1h_{name}_m"] = _figure(figures, "sigma_3d_1h_m", 4)
        row[f"convergence_{name}_min"] = _figure(figures, "convergence_min", 1)
    row["gain_had"] = None if gain.had is None else round(gain.had, 3)
    row["gain_to_come"] = None if gain.to_come is None else round(gain.to_come, 3)
    for name, found in (("without", solved.without), ("with", solved.with_bds3)):
        error_m = None if found is None else found.error_3d_1h_m
        row[f"solved_error_3d_1h_{name}_m"] = None if error_m is None else round(error_m, 4)
    row["not_computed"] = gain.not_computed
    return row


def _figure(figures: GeometryFigures | None, name: str, decimals: int) -> float | None:
    value = None if figures is None else getattr(figures, name)
    return None if value is None else round(float(value), decimals)


def csv_bytes(audits: Sequence[StationAudit]) -> bytes:
    """The table, with the position; RFC 4180, an empty field where there is no figure."""
    stream = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for audit in audits:
        row = {
            **audit_row(audit),
            "latitude_deg": audit.latitude_deg,
            "longitude_deg": audit.longitude_deg,
        }
        if writer is None:
            writer = csv.DictWriter(stream, list(row), lineterminator="\r\n")
            writer.writeheader()
        writer.writerow({k: _text(v) for k, v in row.items()})
    return stream.getvalue().encode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def geojson_bytes(audits: Sequence[StationAudit]) -> bytes:
    """GeoJSON (RFC 7946); a station whose place is not known has no geometry."""
    features = [
        {
            "type": "Feature",
            "geometry": None
            if audit.longitude_deg is None
            else {"type": "Point", "coordinates": [audit.longitude_deg, audit.latitude_deg]},
            "properties": audit_row(audit),
        }
        for audit in audits
    ]
    content = {"type": "FeatureCollection", "features": features}
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
