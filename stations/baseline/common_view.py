"""What two receivers tracked together: the same signals of the same satellites at the same epochs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.options import PppOptions
from stations.ppp.rows import GPST_MINUS_TAI_NS, epochs_on_interval
from stations.ppp.signal_selection import choose_signals
from stations.records import Observations
from transforms.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_VALUES: Final = ("pseudorange_m", "carrier_phase_cycles")
_MILLISECOND_NS: Final = 1_000_000
MINIMUM_COMMON_EPOCHS: Final = 4


@dataclass(frozen=True, eq=False)
class CommonView:
    """Two stations' observations reduced to what they share.

    first, second : with the two chosen signals of each common satellite alone
    first_epochs, second_epochs : (n_epoch,) places of the common epochs in each
    unlike : satellites of which the stations track the same carriers by different signals
    """

    first: Observations
    second: Observations
    first_epochs: IntArray
    second_epochs: IntArray
    unlike: tuple[str, ...]


def common_epochs(first_ns: IntArray, second_ns: IntArray, interval_s: float) -> tuple[IntArray, IntArray]:
    """Places in two series of epochs (TAI ns) that stand for the same multiple of the interval."""
    step = round(interval_s * 1e9)
    places = [epochs_on_interval(series, interval_s) for series in (first_ns, second_ns)]
    keys = [
        (series[place] + GPST_MINUS_TAI_NS + step // 2) // step
        for series, place in zip((first_ns, second_ns), places, strict=True)
    ]
    _, in_first, in_second = np.intersect1d(keys[0], keys[1], return_indices=True)
    return places[0][in_first], places[1][in_second]


def common_view(
    first: Observations, second: Observations, options: PppOptions, interval_s: float
) -> CommonView:
    """Reduce two stations' observations to common epochs, satellites and signals.

    A satellite takes the signals that both receivers track, so that its code biases cancel; where there is no
    such pair, the same carriers by each receiver's own signals, and it is named as unlike.

    Raises InputError where too little is common.
    """
    first_ns, second_ns = first.epochs.tai_ns, second.epochs.tai_ns
    in_first, in_second = common_epochs(first_ns, second_ns, interval_s)
    if in_first.size < MINIMUM_COMMON_EPOCHS:
        raise InputError(
            f"the stations have {in_first.size} epochs in common at multiples of {interval_s:g} s: "
            "their files are not of the same time"
        )
    like = choose_signals(_both(first, second, in_first, in_second), options)
    unlike: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {}
    own_first, own_second = choose_signals(first, options), choose_signals(second, options)
    for satellite in sorted(set(own_first) & set(own_second) - set(like)):
        a, b = own_first[satellite], own_second[satellite]
        if (a[0][0], a[1][0]) == (b[0][0], b[1][0]):
            unlike[satellite] = a, b
    if not like and not unlike:
        raise InputError(
            f"the stations track no satellite of the systems {options.systems} on the same two carriers"
        )
    return CommonView(
        _reduced(first, {**like, **{s: pairs[0] for s, pairs in unlike.items()}}),
        _reduced(second, {**like, **{s: pairs[1] for s, pairs in unlike.items()}}),
        in_first,
        in_second,
        tuple(unlike),
    )


def _both(first: Observations, second: Observations, in_first: IntArray, in_second: IntArray) -> Observations:
    """The first station's observations where the second has the same."""
    satellites = sorted(set(first.satellites) & set(second.satellites))
    known = [{str(s) for s in item.data["signal"].values} for item in (first, second)]
    signals = sorted(known[0] & known[1])
    place = {"satellite": satellites, "signal": signals}
    a = first.data[list(_VALUES)].isel(epoch=in_first).sel(place)
    b = second.data[list(_VALUES)].isel(epoch=in_second).sel(place)
    data = a.copy()
    for name in _VALUES:
        values = a[name].values.copy()
        values[~np.isfinite(b[name].values)] = np.nan
        data[name] = (a[name].dims, values)
    return replace(first, data=data)


def _reduced(observations: Observations, chosen: Mapping[str, tuple[str, str]]) -> Observations:
    """Observations of the chosen satellites with their two signals alone."""
    satellites = sorted(chosen)
    signals = sorted({signal for pair in chosen.values() for signal in pair})
    data = observations.data.sel(satellite=satellites, signal=signals).copy()
    keep = np.array([[signal in chosen[s] for signal in signals] for s in satellites], dtype=np.bool_)
    for name in _VALUES:
        values = data[name].values.copy()
        values[:, ~keep] = np.nan
        data[name] = (data[name].dims, values)
    return replace(observations, data=data)


def session_interval_s(
    first: Observations, second: Observations, interval_s: float | None, minimum_s: float
) -> float:
    """Interval of the epochs used, s: as asked, else the files' own, thinned in sessions beyond an hour."""
    own = max(first.interval_s, second.interval_s)
    if interval_s is not None:
        return interval_s
    ns = first.epochs.tai_ns
    longer_than_an_hour = ns.size > 1 and (ns[-1] - ns[0]) > 3600 * 1000 * _MILLISECOND_NS
    own = max(own, minimum_s) if longer_than_an_hour else own
    if own <= 0.0:
        raise InputError("a baseline needs more than one epoch")
    return own
