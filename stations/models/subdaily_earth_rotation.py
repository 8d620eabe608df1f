"""Diurnal and semidiurnal variations of the pole and of UT1 by the ocean tides.

IERS Conventions (2010), section 8.2, in the form of R. Eanes: 71 lines of the tide-generating potential, a
response of three lags for each of the two bands ("orthotides"), weights fitted to the eight tides of Ray et
al. (1994), Science 264, 830-832. Tables of earth rotation leave these variations out; they are added after
interpolation. Written from the Conventions' description; not the Center's software.

They reach 0.6 milliarcseconds and 60 microseconds: 2 cm at the equator between the celestial and the
terrestrial frame, all of which is in the orbits; 0.02 mm in the pole tide.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.constants import ARCSECOND_RAD
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

# Height of the potential in mm, phase in radians at 1960-05-23 12:00 (MJD 37076.5), radians a day.
_DIURNAL: Final = """
-1.94 9.0899831 5.18688050   -1.25 8.8234208 5.38346657   -6.64 12.1189598 5.38439079
-1.51 1.4425700 5.41398343   -8.02 4.7381090 5.41490765   -9.47 4.4715466 5.61149372
-50.20 7.7670857 5.61241794  -1.80 -2.9093042 5.64201057  -9.54 0.3862349 5.64293479
1.52 -3.1758666 5.83859664   -49.45 0.1196725 5.83952086  -262.21 3.4152116 5.84044508
1.70 12.8946194 5.84433381   3.43 5.5137686 5.87485066    1.94 6.4441883 6.03795537
1.37 -4.2322016 6.06754801   7.41 -0.9366625 6.06847223   20.62 8.5427453 6.07236095
4.14 11.8382843 6.07328517   3.94 1.1618945 6.10287781    -7.14 5.9693878 6.24878055
1.37 -1.2032249 6.26505830   -122.03 2.0923141 6.26598252 1.02 -1.7847596 6.28318449
2.89 8.0679449 6.28318613    -7.30 0.8953321 6.29946388   368.78 4.1908712 6.30038810
50.01 7.4864102 6.30131232   -1.08 10.7819493 6.30223654  2.93 0.3137975 6.31759007
5.25 6.2894282 6.33479368    3.95 7.2198478 6.49789839    20.62 -0.1610030 6.52841524
4.09 3.1345361 6.52933946    3.42 2.8679737 6.72592553    1.69 -4.5128771 6.75644239
11.29 4.9665307 6.76033111   7.23 8.2620698 6.76125533    1.51 11.5576089 6.76217955
2.16 0.6146566 6.98835826    1.38 3.9101957 6.98928248
"""
_SEMIDIURNAL: Final = """
1.80 20.6617051 11.45675174  4.67 13.2808543 11.48726860  16.01 16.3098310 11.68477889
19.32 8.9289802 11.71529575  1.30 5.0519065 11.73249771   -1.02 15.8350306 11.89560406
-4.51 8.6624178 11.91188181  120.99 11.9579569 11.91280603 1.13 8.0808832 11.93000800
22.98 4.5771061 11.94332289  1.06 0.7000324 11.96052486   -1.90 14.9869335 12.11031632
-2.18 11.4831564 12.12363121 -23.58 4.3105437 12.13990896 631.92 7.6060827 12.14083318
1.92 3.7290090 12.15803515   -4.66 10.6350594 12.33834347 -17.86 3.2542086 12.36886033
4.47 12.7336164 12.37274905  1.97 16.0291555 12.37367327  17.20 10.1602590 12.54916865
294.00 6.2831853 12.56637061 -2.46 2.4061116 12.58357258  -1.02 5.0862033 12.59985198
79.96 8.3817423 12.60077620  23.83 11.6772814 12.60170041 2.59 14.9728205 12.60262463
4.47 4.0298682 12.82880334   1.95 7.3254073 12.82972756   1.17 9.1574019 13.06071921
"""
_REFERENCE_MJD: Final = 37076.5
_LAG_DAYS: Final = 2.0
# Factors that make the response orthogonal, diurnal and semidiurnal.
_ORTHOGONAL: Final = (
    (0.0298, 0.1408, 0.0805, 0.6002, 0.3025, 0.1517),
    (0.0200, 0.0905, 0.0638, 0.3476, 0.1645, 0.0923),
)
# Weights of pole x and y, microarcseconds, and UT1, microseconds; diurnal, then semidiurnal.
# fmt: off
_WEIGHTS: Final = np.array(
    [
        [-6.77832, -14.86323, 0.47884, -1.45303, 0.16406, 0.42030,
         0.09398, 25.73054, -4.77974, 0.28080, 1.94539, -0.73089],
        [14.86283, -6.77846, 1.45234, 0.47888, -0.42056, 0.16469,
         15.30276, -4.30615, 0.07564, 2.28321, -0.45717, -1.62010],
        [-1.76335, 1.03364, -0.27553, 0.34569, -0.12343, -0.10146,
         -0.47119, 1.28997, -0.19336, 0.02724, 0.08955, 0.04726],
    ]
)
# fmt: on


def _potential(lines: FloatArray, days: FloatArray, quarter: float) -> FloatArray:
    """In-phase and out-of-phase potential (2, n) of lines (k, 3) at days since the reference."""
    angle = lines[:, 1] - quarter + days[:, None] * lines[:, 2]
    return np.stack([np.cos(angle) @ lines[:, 0], -np.sin(angle) @ lines[:, 0]])


def orthotides(modified_julian_date: FloatArray) -> FloatArray:
    """The twelve responses (n, 12) that the weights multiply."""
    days = np.asarray(modified_julian_date, np.float64) - _REFERENCE_MJD
    responses: list[FloatArray] = []
    for text, quarter, factors in zip((_DIURNAL, _SEMIDIURNAL), (np.pi / 2.0, 0.0), _ORTHOGONAL, strict=True):
        lines = np.array([float(word) for word in text.split()]).reshape(-1, 3)
        in_phase, out_of_phase = _potential(lines, days, quarter)
        later = _potential(lines, days + _LAG_DAYS, quarter)
        earlier = _potential(lines, days - _LAG_DAYS, quarter)
        # The lag counts backwards: "plus" is the potential of two days before.
        sums, differences = earlier + later, earlier - later
        s0, s1, s2, s3, s4, s5 = factors
        responses += [
            s0 * in_phase,
            s0 * out_of_phase,
            s1 * in_phase - s2 * sums[0],
            s1 * out_of_phase - s2 * sums[1],
            s3 * in_phase - s4 * sums[0] + s5 * differences[1],
            s3 * out_of_phase - s4 * sums[1] - s5 * differences[0],
        ]
    return np.stack(responses, axis=-1)


def ocean_tide_variations(epochs: Epochs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What the ocean tides add to pole x and y, radians, and UT1, seconds, at epochs (n,); each (n,)."""
    mjd = np.atleast_1d(epochs.to(TimeScale.UTC).modified_julian_date())
    x_uas, y_uas, ut1_us = _WEIGHTS @ orthotides(mjd).T
    return x_uas * 1e-6 * ARCSECOND_RAD, y_uas * 1e-6 * ARCSECOND_RAD, ut1_us * 1e-6
