"""Between networks or daily solutions and SINEX documents."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.records import NetworkSolution
from stations.formats.sinex import (
    AGENCY,
    SinexPosition,
    document_of_positions,
    frame_of,
    station_names,
)
from stations.formats.sinex_records import SinexDocument, SinexParameter
from stations.records import AntennaCalibration, AntennaType, StationSetup, StationSolution, ZenithDelays
from transforms.covariance import for_publication
from transforms.errors import InputError
from transforms.frames import frame_named
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_POSITION_KINDS: Final = ("STAX", "STAY", "STAZ")
_UNKNOWN_DOMES: Final = frozenset({"", "---------"})
_POSITION_DECIMALS: Final = 6  # micrometres: below them processors disagree
_RADOME_COLUMNS: Final = slice(16, 20)


def network_sinex(
    solution: NetworkSolution,
    *,
    created: Epochs | None = None,
    agency: str = AGENCY,
    antennas: Sequence[AntennaCalibration] = (),
) -> SinexDocument:
    """The SINEX document of an adjusted network, with its full covariance.

    antennas : calibrations of the daily solutions, in the order of preference, for the phase centres. The a
        priori values are those about which the equations were linear: nothing is held to them, so their sigma
        is 0 and their constraint "2", as the IGS writes it.
    created : the time to write into the header; by default the last epoch of the data, so that the same
        network gives the same bytes
    """
    positions = [
        SinexPosition(
            station.station,
            station.domes,
            station.solution_number,
            np.round(station.position_ecef_m, _POSITION_DECIMALS),
            None
            if station.approximate_ecef_m is None
            else np.round(station.approximate_ecef_m, _POSITION_DECIMALS),
            solution.epoch,
            station.first_epoch,
            station.last_epoch,
            _middle(station.first_epoch, station.last_epoch),
            station.setup,
        )
        for station in solution.stations
    ]
    last = max((station.last_epoch for station in solution.stations), key=lambda e: int(e.tai_ns))
    statistics = {"VARIANCE FACTOR": float(for_publication(solution.variance_factor))}
    if solution.degrees_of_freedom > 0:
        statistics["NUMBER OF DEGREES OF FREEDOM"] = float(solution.degrees_of_freedom)
    return document_of_positions(
        positions,
        for_publication(solution.covariance_m2),
        frame=solution.frame,
        description="Network of daily precise point positions",
        statistics=statistics,
        remarks=(
            f"Datum: {solution.constraints}.",
            *solution.remarks,
            *(f"Not used: {rejection.subject}: {rejection.reason}" for rejection in solution.rejections),
        ),
        created=last if created is None else created,
        agency=agency,
        antennas=antennas,
    )


def _middle(first: Epochs, last: Epochs) -> Epochs:
    return Epochs((first.tai_ns + last.tai_ns) // 2)


def sinex_to_solutions(document: SinexDocument, *, frame: str | None = None) -> tuple[StationSolution, ...]:
    """The station positions of a SINEX document as station solutions, in the document's order.

    frame : of the positions; None takes the one that a comment of the file names. A SINEX file has no field
        for it, so InputError where neither is there.

    Correlations between stations are left out: the combination takes stations as independent, as precise
    point positions are. Velocities, geocentre and earth rotation parameters are not taken over. What SINEX
    does not hold (zenith delays, residuals, counts) is empty or 0, and a remark says so.
    """
    name = frame or frame_of(document)
    where = document.inputs[0].path if document.inputs else "the SINEX document"
    if name is None:
        raise InputError(f"{where}: the file does not name its reference frame; give it")
    frame_name = frame_named(name).name
    groups: dict[tuple[str, str, str], dict[str, SinexParameter]] = {}
    for parameter in document.estimates:
        if parameter.kind in _POSITION_KINDS:
            key = (parameter.code, parameter.point, parameter.solution)
            components = groups.setdefault(key, {})
            if parameter.kind in components:
                raise InputError(f"{where}: {parameter.kind} of {' '.join(key)} stands twice")
            components[parameter.kind] = parameter
    if not groups:
        raise InputError(f"{where}: there are no station positions among the estimates")
    lookup = _Lookup(document)
    return tuple(
        _solution(document, lookup, key, components, frame_name, where) for key, components in groups.items()
    )


class _Lookup:
    """Records of a document by site and solution number, "----" standing for all numbers."""

    def __init__(self, document: SinexDocument) -> None:
        self.names = station_names(document)
        self.domes = {(site.code, site.point): site.domes for site in document.sites}
        self.epochs = {(e.code, e.point, e.solution): e for e in document.epochs}
        self.receivers = {(r.code, r.point, r.solution): r for r in document.receivers}
        self.antennas = {(a.code, a.point, a.solution): a for a in document.antennas}
        self.eccentricities = {(e.code, e.point, e.solution): e for e in document.eccentricities}

    def setup(self, key: tuple[str, str, str]) -> StationSetup:
        """Equipment of a site; blank where the file tells of none."""
        general = (*key[:2], "----")
        receiver = self.receivers.get(key) or self.receivers.get(general)
        antenna = self.antennas.get(key) or self.antennas.get(general)
        eccentricity = self.eccentricities.get(key) or self.eccentricities.get(general)
        enu = (0.0, 0.0, 0.0)
        if eccentricity is not None and eccentricity.reference == "UNE":
            up, north, east = eccentricity.offset_m
            enu = (east, north, up)
        return StationSetup(
            receiver.receiver if receiver else "",
            receiver.serial if receiver else "",
            receiver.firmware if receiver else "",
            AntennaType(
                antenna.antenna[: _RADOME_COLUMNS.start].strip() if antenna else "",
                (antenna.antenna[_RADOME_COLUMNS].strip() if antenna else "") or "NONE",
                antenna.serial if antenna else "",
            ),
            enu,
        )


def _solution(
    document: SinexDocument,
    lookup: _Lookup,
    key: tuple[str, str, str],
    components: dict[str, SinexParameter],
    frame: str,
    where: str,
) -> StationSolution:
    code, point, number = key
    if len(components) != len(_POSITION_KINDS):
        raise InputError(f"{where}: {code} {point} {number} lacks one of {', '.join(_POSITION_KINDS)}")
    x, y, z = (components[kind] for kind in _POSITION_KINDS)
    if x.epoch is None:
        raise InputError(f"{where}: the position of {code} {point} {number} has no epoch")
    indices = [x.index - 1, y.index - 1, z.index - 1]
    if document.covariance is not None:
        covariance = document.covariance[np.ix_(indices, indices)]
    else:
        covariance = np.diag(np.square([x.sigma, y.sigma, z.sigma]))
    observed = lookup.epochs.get(key)
    first = observed.start if observed is not None and observed.start is not None else x.epoch
    last = observed.end if observed is not None and observed.end is not None else x.epoch
    domes = lookup.domes.get((code, point), "")
    return StationSolution(
        station=lookup.names.get((code, point), code),
        domes="" if domes in _UNKNOWN_DOMES else domes,
        epoch=x.epoch,
        first_epoch=first,
        last_epoch=last,
        frame=frame,
        position_ecef_m=np.array([x.value, y.value, z.value]),
        covariance_m2=covariance,
        n_epochs=0,
        n_observations=0,
        systems=(),
        signals=(),
        ambiguities="float",
        fixed_fraction=0.0,
        residual_rms_phase_m=0.0,
        residual_rms_code_m=0.0,
        rejections={},
        zenith_delays=ZenithDelays(Epochs(np.zeros(0, dtype=np.int64)), np.zeros(0), np.zeros(0)),
        setup=lookup.setup(key),
        centre=document.header.data_agency,
        inputs=document.inputs,
        remarks=(*document.remarks, "from SINEX: counts, residuals and zenith delays are not known"),
    )
