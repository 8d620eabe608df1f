"""Published gravity networks: GRAVS2's Haanja-Toila calibration line and GSadjust's synthetic surveys."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from datum.gravity.network import adjust_gravity
from datum.records import AbsoluteGravity, GravityObservations, GravityReading, GravitySolution, TideSystem
from transforms.time_scales import Epochs, TimeScale

pytestmark = pytest.mark.real_data

MGAL = 1e-5  # m/s2


def _gravity_mgal(solution: GravitySolution, point: str) -> float:
    return float(solution.gravity_m_per_s2[solution.points.index(point)]) / MGAL


@dataclass(frozen=True)
class _LoopTreatment:
    """What the .par file of one day says: readings left out, tares begun at these readings, drift degree."""

    skipped: tuple[int, ...]
    tares: tuple[int, ...]
    drift_degree: int


# *.par of the campaign, as GRADJ's own log repeats them ("s" skips, "t" sets a tare, "d 1 2": degree 2).
HAANJA_DAYS = {
    "2010-07-06": _LoopTreatment((66,), (), 2),
    "2010-07-07": _LoopTreatment((1, 2, 3, 4, 5, 6, 7, 8), (), 1),
    "2010-07-08": _LoopTreatment((21, 63, 67), (56,), 1),
    "2010-07-09": _LoopTreatment((40, 70), (51,), 1),
}


def _haanja(real_data: Path) -> GravityObservations:
    folder = real_data / "geodesy" / "gravity" / "gravs2_haanja"
    readings = []
    for day, treatment in HAANJA_DAYS.items():
        text = (folder / f"{day}_S36.redu").read_text(encoding="latin-1")
        for number, line in enumerate(text.splitlines(), start=1):
            fields = line.split()
            if len(fields) < 13 or not fields[0].isdigit():
                continue
            observation = int(fields[3])
            if observation in treatment.skipped:
                continue
            moment = np.datetime64(f"{fields[1].rstrip(',')}T{fields[2]}", "ns")
            readings.append(
                GravityReading(
                    instrument="S36",
                    loop=day,
                    point=fields[0],
                    epoch=Epochs.from_datetime64(moment, TimeScale.UTC),
                    reading_m_per_s2=float(fields[12]) * MGAL,
                    sigma_m_per_s2=0.0015 * MGAL,  # SIGMA1 of the .inp file, the same for every reading
                    height_m=0.0,  # reduced already
                    line_in_file=number,
                    tare=sum(observation >= start for start in treatment.tares),
                )
            )
    absolute = []
    for line in (folder / "FIXED").read_text(encoding="latin-1").splitlines():
        point, gravity, sigma = line.split()[:3]
        # sc_std 5.0 of the .inp file divides the sigmas of the absolute stations.
        absolute.append(AbsoluteGravity(point, float(gravity) * MGAL, float(sigma) / 5.0 * MGAL))
    return GravityObservations(TideSystem.ZERO_TIDE, tuple(readings), tuple(absolute), {}, {})


def test_haanja_calibration_line_comes_out_as_published(real_data: Path) -> None:
    degrees = {("S36", day): treatment.drift_degree for day, treatment in HAANJA_DAYS.items()}
    # GRADJ uses every reading of its list, so the search for blunders is off.
    solution = adjust_gravity(_haanja(real_data), drift_degree=degrees, scale=True, maximum_rejected=0)
    published = {"80003": 981759.6718, "80702": 981678.8581, "80704": 981848.7565, "80036": 981813.9444}
    for point, gravity in published.items():
        assert _gravity_mgal(solution, point) == pytest.approx(gravity, abs=0.00006), point  # as printed
    assert solution.degrees_of_freedom == 348
    factor, sigma = solution.scale_factor["S36"]
    # .cal and .grav: first term 0.976270E-04 +- 0.748444E-05, readings times 1 minus it.
    assert 1.0 - factor == pytest.approx(97.627e-6, abs=0.05e-6)
    # GRADJ gives sigmas a posteriori; readings are printed to 0.1 microgal.
    assert sigma * np.sqrt(solution.variance_factor) == pytest.approx(7.484e-6, abs=0.02e-6)
    # GRADJ's statistic is normalised by the degrees of freedom, limits 0.86 and 1.15.
    assert solution.chi_square_limits == pytest.approx((0.86, 1.15), abs=0.005)
    assert solution.variance_factor == pytest.approx(1.13, abs=0.005)
    microgal_per_day = 24.0 * 1e8
    assert solution.drift["S36", "2010-07-07"][0] * microgal_per_day == pytest.approx(119.8, abs=0.1)
    assert solution.drift["S36", "2010-07-08"][0] * microgal_per_day == pytest.approx(185.3, abs=0.1)
    (linear, _), (quadratic, _) = solution.drift_polynomial["S36", "2010-07-06"]
    assert linear * microgal_per_day == pytest.approx(80.5, abs=0.1)
    assert quadratic * microgal_per_day * 24.0 == pytest.approx(169.8, abs=0.1)


def test_haanja_with_blunder_search_stays_within_five_microgal(real_data: Path) -> None:
    degrees = {("S36", day): treatment.drift_degree for day, treatment in HAANJA_DAYS.items()}
    solution = adjust_gravity(_haanja(real_data), drift_degree=degrees, scale=True)
    published = {"80003": 981759.6718, "80702": 981678.8581, "80704": 981848.7565, "80036": 981813.9444}
    for point, gravity in published.items():
        assert _gravity_mgal(solution, point) == pytest.approx(gravity, abs=0.005), point
    assert abs((1.0 - solution.scale_factor["S36"][0]) - 97.6e-6) < 7.5e-6


# From SOURCE.txt of the data set: relative gravity in mGal, drift in mGal/h, calibration, noise 0.003 mGal.
SYNTHETIC_GRAVITY_MGAL = {"sta1": 50.0, "sta2": 48.0, "sta3": 45.0, "sta4": 48.5, "sta5": 46.0}
SYNTHETIC_NOISE_MGAL = 0.003
FIVE_SIGMA = 5.0


@pytest.mark.parametrize(
    ("name", "drift_mgal_per_hour", "calibration"),
    [("Test1", 0.0, 1.0), ("Test2", 0.01, 1.0), ("Test3", 0.01, 1.03)],
)
def test_synthetic_surveys_give_their_truth(
    real_data: Path, name: str, drift_mgal_per_hour: float, calibration: float
) -> None:
    text = (real_data / "geodesy" / "gravity" / "gsadjust_synthetic" / f"{name}.txt").read_text()
    readings = []
    for number, line in enumerate(text.splitlines(), start=1):
        point, _, instrument, day, clock, reading = line.split()[:6]
        moment = np.datetime64(f"{day.replace('/', '-')}T{clock}", "ns")
        readings.append(
            GravityReading(
                instrument=instrument,
                loop=day,
                point=point,
                epoch=Epochs.from_datetime64(moment, TimeScale.UTC),
                reading_m_per_s2=float(reading) * MGAL,
                sigma_m_per_s2=SYNTHETIC_NOISE_MGAL * MGAL,
                height_m=0.0,
                line_in_file=number,
            )
        )
    held = ("sta1", "sta3") if calibration != 1.0 else ("sta1",)
    absolute = tuple(AbsoluteGravity(p, (980000.0 + SYNTHETIC_GRAVITY_MGAL[p]) * MGAL, 0.0) for p in held)
    observations = GravityObservations(TideSystem.ZERO_TIDE, tuple(readings), absolute, {}, {})
    solution = adjust_gravity(observations, scale=calibration != 1.0)
    assert not solution.rejections
    for point, gravity in SYNTHETIC_GRAVITY_MGAL.items():
        i = solution.points.index(point)
        sigma = float(np.sqrt(solution.covariance_m2_per_s4[i, i])) / MGAL
        assert abs(_gravity_mgal(solution, point) - 980000.0 - gravity) <= FIVE_SIGMA * sigma + 1e-7, point
        assert sigma < 2.0 * SYNTHETIC_NOISE_MGAL
    rate, rate_sigma = solution.drift["B44", "2010/01/01"]
    assert abs(rate / MGAL - drift_mgal_per_hour) < FIVE_SIGMA * rate_sigma / MGAL
    if calibration != 1.0:
        factor, factor_sigma = solution.scale_factor["B44"]
        assert abs(factor - 1.0 / calibration) < FIVE_SIGMA * factor_sigma
        assert factor_sigma < 1.5e-3
