"""The rate of the electron content along the paths, and its scatter over five minutes.

ROT is the change of the slant content between epochs, from the geometry-free phase of an arc; ROTI is its
standard deviation over five minutes (Pi et al. 1997, Geophys. Res. Lett. 24(18), 2283-2286).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.cycle_slips import ObservedSlips
from stations.quality.signal_pairs import frequency_by_satellite_hz, satellite_names
from stations.quality_records import IonosphereActivity
from stations.records import Observations
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import NANOSECONDS, Epochs

FloatArray = NDArray[np.float64]

WINDOW_S: Final = 300.0  # Pi et al. (1997)
MINIMUM_IN_WINDOW: Final = 5  # epochs; at 60 s and longer no window has as many, and there is no ROTI
DISTURBED_TECU_PER_MIN: Final = 0.5  # Ma and Maruyama (2006), Geophys. Res. Lett. 33, L21103
MINIMUM_ELEVATION_DEG: Final = 30.0  # below, noise and multipath of the phase pass for activity
METRES_HZ2_PER_TECU: Final = 40.3e16  # delay = 40.3 TEC / f^2 (IERS Conventions 2010, eq. 9.27)
LONGEST_STEP_S: Final = 60.0
WORST_SHARE: Final = 95.0


def rate_of_content(
    observations: Observations, slips: ObservedSlips
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.float64]] | None:
    """ROT of the first pair of each system, (n_epoch - 1, n) TECU per minute, and the satellites' columns.

    Returns rate, columns into the observations' satellites, and times of the later epochs in seconds; None
    where no pair serves or epochs are too far apart.
    """
    epochs = observations.epochs
    time_s = (epochs.tai_ns - epochs.tai_ns[:1]) / NANOSECONDS
    if time_s.size < MINIMUM_IN_WINDOW or observations.interval_s > LONGEST_STEP_S:
        return None
    step_s = np.diff(time_s)[:, np.newaxis]
    signals = [str(s) for s in observations.data["signal"].values]
    phase = observations.data["carrier_phase_cycles"].values
    rates, columns = [], []
    seen: set[str] = set()
    for pair, masks in zip(slips.pairs, slips.masks, strict=True):
        if pair.system in seen or pair.system == "S":
            continue
        seen.add(pair.system)
        index = np.array([k for k, s in enumerate(observations.satellites) if s[0] == pair.system])
        names = satellite_names(observations, index)
        channels = observations.header.glonass_channels
        one_hz = frequency_by_satellite_hz(names, pair.first, channels)
        two_hz = frequency_by_satellite_hz(names, pair.second, channels)
        difference_m = (
            phase[:, index, signals.index(pair.first)] * (SPEED_OF_LIGHT_M_PER_S / one_hz)
            - phase[:, index, signals.index(pair.second)] * (SPEED_OF_LIGHT_M_PER_S / two_hz)
        )  # fmt: skip
        # L1 - L2 = 40.3 TEC (1/f2^2 - 1/f1^2).
        per_tecu_m = METRES_HZ2_PER_TECU * (1.0 / two_hz**2 - 1.0 / one_hz**2)
        rate = np.diff(difference_m, axis=0) / per_tecu_m / step_s * 60.0
        # Where the phases scatter so that a cycle could hide, what is left of slips would pass for activity.
        with np.errstate(invalid="ignore"):
            sure = masks.geometry_free_limit_m[1:] < SPEED_OF_LIGHT_M_PER_S / one_hz
        unbroken = ~masks.arc_start[1:] & sure & (step_s <= LONGEST_STEP_S)
        rates.append(np.where(unbroken, rate, np.nan))
        columns.append(index)
    if not rates:
        return None
    return np.concatenate(rates, axis=1), np.concatenate(columns).astype(np.int64), time_s[1:]


def ionosphere_activity(
    observations: Observations, slips: ObservedSlips, elevation_rad: FloatArray
) -> IonosphereActivity | None:
    """ROTI of a session in windows of five minutes; None where the interval is too long or nothing serves.

    elevation_rad : (n_epoch, n_satellite); where an elevation is unknown its satellite counts at any.
    """
    found = rate_of_content(observations, slips)
    if found is None:
        return None
    rate, columns, time_s = found
    with np.errstate(invalid="ignore"):
        low = np.degrees(elevation_rad[1:, columns]) < MINIMUM_ELEVATION_DEG
    rate = np.where(low, np.nan, rate)
    window = (time_s // WINDOW_S).astype(np.int64)
    first_row = np.flatnonzero(np.diff(window, prepend=window[0] - 1))
    good = np.isfinite(rate)
    filled = np.where(good, rate, 0.0)
    n = np.add.reduceat(good.astype(np.float64), first_row, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(filled, first_row, axis=0) / n
        square = np.add.reduceat(filled**2, first_row, axis=0) / n
        roti = np.sqrt(np.maximum(square - mean**2, 0.0))
    enough = n >= MINIMUM_IN_WINDOW
    if not enough.any():
        return None
    values = roti[enough]
    hour = (window[first_row] * WINDOW_S // 3600).astype(np.int64)
    by_hour = {
        int(h): float(np.percentile(roti[hour == h][enough[hour == h]], WORST_SHARE))
        for h in np.unique(hour)
        if enough[hour == h].any()
    }
    worst = max(by_hour, key=lambda h: by_hour[h])
    start = Epochs(np.asarray(int(observations.epochs.tai_ns[0]) + worst * 3600 * NANOSECONDS))
    return IonosphereActivity(
        n_windows=int(values.size),
        median_roti_tecu_per_min=float(np.median(values)),
        p95_roti_tecu_per_min=float(np.percentile(values, WORST_SHARE)),
        share_disturbed=float((values > DISTURBED_TECU_PER_MIN).mean()),
        largest_rate_tecu_per_min=float(np.nanmax(np.abs(rate))),
        worst_hour=start.iso()[:16],
        worst_hour_p95_roti_tecu_per_min=by_hour[worst],
    )
