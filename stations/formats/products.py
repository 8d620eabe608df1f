"""Choose the precise products of one analysis centre for one session, from files and folders.

Orbits, clocks and biases of one centre belong together: clocks absorb the orbits' radial errors and carry
the biases' reference (Banville et al. 2020, doi:10.1007/s00190-019-01335-w). So one centre, and of it one
series, serves throughout. Earth rotation parameters are common to all (IERS) and are never a mix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from stations.formats.analysis_centres import centre_code
from stations.formats.attitude_joining import join_attitudes
from stations.formats.earth_rotation_choice import choose_earth_rotation
from stations.formats.orbit_joining import join_orbits
from stations.formats.product_coverage import (
    coverage,
    interval_s,
    near,
    overlaps,
    phase_systems,
    served,
    valid_biases,
)
from stations.formats.product_files import ProductFile, ProductFiles, ProductKind, of_kind, read_product_files
from stations.formats.rinex_clock import join_clocks
from stations.records import (
    PathLike,
    PreciseProducts,
    SatelliteAttitudes,
    SatelliteOrbits,
    SignalBias,
    SignalBiases,
)
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs

_DAY_NS: Final = SECONDS_PER_DAY * NANOSECONDS
# A centre that serves this share of the satellites of the one that serves most counts as serving as many:
# a few satellites under manoeuvre or decommissioned must not outweigh clocks ten times as dense.
_AS_MANY_SATELLITES: Final = 0.8
_FULL_COVERAGE: Final = 0.99
_FEWEST_SATELLITES: Final = 1


@dataclass(frozen=True, eq=False)
class _Candidate:
    """What one series of one centre offers for the session."""

    centre: str
    series: str
    orbit_files: tuple[ProductFile, ...]
    clock_files: tuple[ProductFile, ...]
    bias_file: ProductFile | None
    coverage: float
    satellites: dict[str, int]  # system -> satellites with orbit and clock in the session
    clock_interval_s: float
    systems_with_phase_biases: frozenset[str]

    def describe(self, systems: Sequence[str]) -> str:
        served = ", ".join(f"{s} {self.satellites[s]}" for s in systems if self.satellites.get(s))
        return f"{served or 'no'} satellites, clocks every {self.clock_interval_s:g} s"

    def fixable(self, systems: Sequence[str]) -> list[str]:
        """Of the systems those with orbits, clocks and phase biases."""
        return [s for s in systems if self.satellites.get(s) and s in self.systems_with_phase_biases]

    def describe_phase_biases(self, systems: Sequence[str]) -> str:
        return f"phase biases for {', '.join(self.fixable(systems)) or 'none'}"

    @property
    def name(self) -> str:
        """What --centre takes: the series where the files' names tell one."""
        return self.series or self.centre


def find_products(
    paths: Iterable[PathLike],
    first: Epochs,
    last: Epochs,
    *,
    systems: str | Iterable[str] = "GEC",
    ambiguities: Literal["float", "fix"] | str = "float",
    centre: str | None = None,
    allow_mixed: bool = False,
) -> PreciseProducts:
    """The products for observations from `first` to `last` (each shape ()).

    Parameters
    ----------
    paths : files or folders (with sub-folders); SP3, RINEX clock, ERP or finals2000A, Bias-SINEX and ORBEX
        files are told by their content, compressed or not, whatever their names; all other files are passed
        over
    systems : letters of the systems that are to be used
    ambiguities : with "fix", a series with phase biases for more of the systems goes first, if it serves as
        long a part of the session and as many satellites (80 %) as any
    centre : code of the centre to take ("GRG"), or one of its series ("CODMGXFIN"); None chooses the one
        that serves best: phase biases where asked, the most of the systems, the longest part of the session,
        as many satellites as any (80 %), the densest clocks, the most satellites, in this order
    allow_mixed : let clocks or biases of another centre serve where the chosen one has none; differential
        code biases of another centre, named by the user, complete those of the chosen one

    Returns
    -------
    Products with orbits of the days beside the session where they are there (their clocks, which have
    another reference, are left out), and remarks that say what was chosen and why.

    Raises
    ------
    InputError : no orbits, products of another day, no satellite of the systems, an unknown centre, or
        files named by the user that would make a mix; the text names the centres
    FormatError : a file that was named is damaged
    """
    wanted = tuple(dict.fromkeys("".join(systems)))
    if not wanted:
        raise InputError("no satellite system was asked for")
    found = read_product_files(paths, first, last)
    remarks = [f"left out: {text}" for text in found.damaged]
    candidates = _candidates(found, first, last, wanted)
    chosen = _choose(candidates, wanted, ambiguities, centre)
    # In the order that a reader asks: who, why, from what.
    names = sorted({c.name for c in candidates})
    among = f", chosen among {', '.join(names)}" if len(names) > 1 else ""
    among = ", as asked" if centre is not None else among
    phase = f", {chosen.describe_phase_biases(wanted)}" if ambiguities == "fix" else ""
    remarks.append(f"products of {chosen.name}{among}: {chosen.describe(wanted)}{phase}")
    if ambiguities == "fix":
        remarks += _alternatives(candidates, chosen, wanted)
    mixed = _mix(chosen, found.files, ambiguities, allow_mixed, remarks)
    orbits = _orbits(chosen, first, last, remarks)
    clocks = join_clocks([c for f in mixed.clock_files if (c := f.clocks)]) if mixed.clock_files else None
    if clocks is None:
        remarks.append(f"clocks of the SP3 file, every {chosen.clock_interval_s:g} s")
    attitudes, foreign = _attitudes(chosen, found.files, first, last, allow_mixed, remarks)
    if chosen.coverage < _FULL_COVERAGE:
        remarks.append(f"the products cover {chosen.coverage:.0%} of the session")
    missing = [s for s in wanted if not chosen.satellites.get(s)]
    if missing:
        remarks.append(f"no orbits with clocks for {', '.join(missing)}")
    return PreciseProducts(
        centre=chosen.centre,
        mixed=mixed.is_mixed or foreign,
        orbits=orbits,
        clocks=clocks,
        earth_rotation=choose_earth_rotation(found.files, chosen.centre, first, last, remarks),
        biases=mixed.biases,
        remarks=tuple(remarks),
        attitudes=attitudes,
    )


def _alternatives(candidates: Sequence[_Candidate], chosen: _Candidate, wanted: Sequence[str]) -> list[str]:
    """The other series, with what they would serve."""
    others = sorted((c for c in candidates if c is not chosen), key=lambda c: c.name)
    return [
        f"also there, with --centre {c.name}: {c.describe(wanted)}, {c.describe_phase_biases(wanted)}"
        for c in others
    ]


def _attitudes(
    chosen: _Candidate,
    files: Sequence[ProductFile],
    first: Epochs,
    last: Epochs,
    allow_mixed: bool,
    remarks: list[str],
) -> tuple[SatelliteAttitudes | None, bool]:
    """The chosen centre's attitudes, and whether another centre's serve instead.

    A centre's clocks carry the wind-up of its own attitudes (Loyer et al. 2021, Adv. Space Res. 68, 2441),
    so another's serve only where the user named the file and allowed a mix.
    """
    usable = [
        f
        for f in of_kind(files, ProductKind.ATTITUDES)
        if f.attitudes is not None and overlaps(f.attitudes.epochs, first, last)
    ]
    own = [f for f in usable if f.centre == chosen.centre and _together(f.series, chosen.series)]
    others = [f for f in usable if f.named and f not in own]
    if not own and others and not allow_mixed:
        listed = ", ".join(f"{f.kind} of {f.centre or 'an unknown centre'} ({f.path.name})" for f in others)
        raise InputError(
            f"a mix of analysis centres: orbits of {chosen.centre}, {listed}; take files of one centre or "
            "allow mixed products"
        )
    serving = own or [f for f in others if f.centre == others[0].centre]
    if not serving:
        return None, False
    attitudes = join_attitudes([a for f in serving if (a := f.attitudes)])
    remarks.append(f"attitudes of {len(attitudes.satellites)} satellites of {serving[0].centre} (ORBEX)")
    return attitudes, not own


def _candidates(found: ProductFiles, first: Epochs, last: Epochs, wanted: Sequence[str]) -> list[_Candidate]:
    """One candidate for each series of each centre that has orbits in the session."""
    orbit_files = of_kind(found.files, ProductKind.ORBITS)
    if not orbit_files:
        if found.other_days:
            raise InputError(f"{_another_day(first, last)}: {', '.join(found.other_days[:5])}")
        reason = f" ({found.damaged[0]})" if found.damaged else ""
        raise InputError(f"no SP3 file of orbits among the products{reason}")
    serving = [f for f in orbit_files if f.orbits is not None and coverage(f.orbits, first, last) > 0.0]
    if not serving:
        days = [f"{f.path.name} ({f.orbits.epochs[0].date()})" for f in orbit_files if f.orbits is not None]
        raise InputError(f"{_another_day(first, last)}: {', '.join([*days, *found.other_days][:5])}")
    keys = sorted({(f.centre, f.series) for f in serving})
    return [_candidate(key, orbit_files, found.files, first, last, wanted) for key in keys]


def _another_day(first: Epochs, last: Epochs) -> str:
    return f"products of another day than the observations ({first.iso()} to {last.iso()})"


def _candidate(
    key: tuple[str, str],
    orbit_files: Sequence[ProductFile],
    files: Sequence[ProductFile],
    first: Epochs,
    last: Epochs,
    wanted: Sequence[str],
) -> _Candidate:
    centre, series = key
    own = _one_for_each_day([f for f in orbit_files if (f.centre, f.series) == key], wanted)
    in_session = [f.orbits for f in own if f.orbits is not None and coverage(f.orbits, first, last) > 0.0]
    orbits = join_orbits(in_session)
    clock_files = [
        f
        for f in of_kind(files, ProductKind.CLOCKS)
        if f.centre == centre
        and _together(f.series, series)
        and f.clocks is not None
        and overlaps(f.clocks.epochs, first, last)
    ]
    bias_files = [
        f
        for f in of_kind(files, ProductKind.BIASES)
        if f.centre == centre and _together(f.series, series) and valid_biases(f.biases, first, last)
    ]
    bias_file = max(
        bias_files, key=lambda f: (len(phase_systems(f.biases)), f.series == series), default=None
    )
    clocks = join_clocks([c for f in clock_files if (c := f.clocks)]) if clock_files else None
    return _Candidate(
        centre=centre,
        series=series,
        orbit_files=tuple(own),
        clock_files=tuple(clock_files),
        bias_file=bias_file,
        coverage=coverage(orbits, first, last),
        satellites=served(orbits, clocks, first, last),
        clock_interval_s=interval_s(orbits.epochs if clocks is None else clocks.epochs),
        systems_with_phase_biases=phase_systems(None if bias_file is None else bias_file.biases),
    )


def _one_for_each_day(files: Sequence[ProductFile], wanted: Sequence[str]) -> list[ProductFile]:
    """Of files that start on the same day, the one with most satellites of the systems (then by name)."""
    best: dict[int, tuple[tuple[int, int], ProductFile]] = {}
    for file in sorted(files, key=lambda f: f.path.name):
        if file.orbits is None:
            continue
        day = int(file.orbits.epochs.tai_ns[0]) // _DAY_NS
        rank = (sum(s[0] in wanted for s in file.orbits.satellites), len(file.orbits.epochs))
        if day not in best or rank > best[day][0]:
            best[day] = (rank, file)
    return [file for _, (_, file) in sorted(best.items())]


def _together(one: str, other: str) -> bool:
    return not one or not other or one == other


def _choose(
    candidates: Sequence[_Candidate], wanted: Sequence[str], ambiguities: str, centre: str | None
) -> _Candidate:
    names = ", ".join(sorted({c.centre for c in candidates}))
    if centre is not None:
        named = [c for c in candidates if c.series == centre.strip().upper()]
        candidates = named or [c for c in candidates if c.centre == centre_code(centre)]
        if not candidates:
            raise InputError(f"no orbits of the analysis centre {centre} for this day; there are {names}")
    most = max(sum(c.satellites.get(s, 0) for s in wanted) for c in candidates)
    if most < _FEWEST_SATELLITES:
        systems = sorted({s for c in candidates for s in c.satellites})
        raise InputError(
            f"no common satellites: {', '.join(wanted)} asked for, orbits with clocks of {names} are for "
            f"{', '.join(systems) or 'none'}"
        )

    longest = max(c.coverage for c in candidates)

    def rank(c: _Candidate) -> tuple[int, int, float, bool, float, int, str]:
        satellites = sum(c.satellites.get(s, 0) for s in wanted)
        # Fixed GPS alone is worse than float GPS, Galileo and BeiDou: phase biases do not outweigh a system.
        serves = c.coverage >= _FULL_COVERAGE * longest and satellites >= _AS_MANY_SATELLITES * most
        return (
            -len(c.fixable(wanted)) if ambiguities == "fix" and serves else 0,
            -sum(bool(c.satellites.get(s)) for s in wanted),
            -round(c.coverage, 2),
            satellites < _AS_MANY_SATELLITES * most,
            c.clock_interval_s,
            -satellites,
            c.centre + c.series,
        )

    return min(candidates, key=rank)


@dataclass(frozen=True, eq=False)
class _Mix:
    clock_files: tuple[ProductFile, ...]
    biases: SignalBiases | None
    is_mixed: bool


def _mix(
    chosen: _Candidate,
    files: Sequence[ProductFile],
    ambiguities: str,
    allow_mixed: bool,
    remarks: list[str],
) -> _Mix:
    """Clocks and biases, of another centre only where the user said so."""
    clock_files, bias_file = chosen.clock_files, chosen.bias_file
    borrowed: list[str] = []
    other_clocks = [f for f in of_kind(files, ProductKind.CLOCKS) if f not in clock_files]
    other_biases = [f for f in of_kind(files, ProductKind.BIASES) if f is not bias_file]
    # Only a file that the user named says that it is to be used; one in a folder may lie there by chance.
    named = [f for f in other_clocks if f.named and not clock_files]
    named += [f for f in other_biases if f.named and bias_file is None]
    if named and not allow_mixed:
        listed = ", ".join(f"{f.kind} of {f.centre} ({f.path.name})" for f in named)
        raise InputError(
            f"a mix of analysis centres: orbits of {chosen.centre}, {listed}; take files of one centre or "
            "allow mixed products"
        )
    if allow_mixed:
        if not clock_files and (from_named := [f for f in other_clocks if f.named]):
            clock_files = tuple(f for f in from_named if f.centre == from_named[0].centre)
            borrowed.append(f"clocks of {clock_files[0].centre}")
        lacks_phase = ambiguities == "fix" and not chosen.systems_with_phase_biases
        if bias_file is None or lacks_phase:
            usable = [f for f in other_biases if f.named or (lacks_phase and phase_systems(f.biases))]
            usable.sort(key=lambda f: not _of_kind(f, "OSB"))
            if usable:
                bias_file = usable[0]
                borrowed.append(f"biases of {bias_file.centre}")
    biases = None if bias_file is None else bias_file.biases
    differences = [f for f in other_biases if f is not bias_file and _of_kind(f, "DSB")]
    completing = next((f for f in differences if f.named and allow_mixed), None)
    if biases is not None and completing is not None and completing.biases is not None:
        biases = replace(
            biases,
            biases=(*biases.biases, *_of_kind(completing, "DSB")),
            inputs=(*biases.inputs, *completing.biases.inputs),
        )
        borrowed.append(f"differential code biases of {completing.centre} beside those of {biases.centre}")
    elif differences:
        listed = ", ".join(f"{f.path.name} of {f.centre}" for f in differences)
        remarks.append(
            f"differential code biases not used: {listed}; name the file and allow mixed products for the "
            "signals that lack a bias"
        )
    if borrowed:
        remarks.append(f"mixed products, as allowed: orbits of {chosen.centre}, {', '.join(borrowed)}")
    return _Mix(clock_files, biases, bool(borrowed))


def _of_kind(file: ProductFile, kind: Literal["OSB", "DSB"]) -> list[SignalBias]:
    """Biases of satellites of one kind in a file."""
    biases = () if file.biases is None else file.biases.biases
    return [b for b in biases if b.kind == kind and not b.station]


def _orbits(chosen: _Candidate, first: Epochs, last: Epochs, remarks: list[str]) -> SatelliteOrbits:
    """Orbits of the session, and of the days beside it for the interpolation at its ends."""
    session: list[SatelliteOrbits] = []
    beside: list[SatelliteOrbits] = []
    for file in chosen.orbit_files:
        if file.orbits is None:
            continue
        if coverage(file.orbits, first, last) > 0.0:
            session.append(file.orbits)
        elif near(file.orbits.epochs, first, last):
            # A neighbour's clocks have another reference: a jump between days is not to be interpolated.
            beside.append(replace(file.orbits, clock_s=np.full_like(file.orbits.clock_s, np.nan)))
    frame = session[0].frame
    kept = [o for o in beside if o.frame == frame]
    if len(kept) < len(beside):
        remarks.append("orbits of a day beside the session are in another frame and not used")
    if kept:
        remarks.append(f"orbits of {len(kept)} day{'s' * (len(kept) > 1)} beside the session serve its ends")
    joined = join_orbits([*session, *kept])
    remarks += [f"orbits: {text}" for text in joined.remarks]
    return joined
