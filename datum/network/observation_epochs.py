"""GNSS vectors of another frame and epoch, brought to the frame of a network that moves with its plate.

A national frame keeps the coordinates of its stations while the plate turns in the ITRF; a vector observed in
the ITRF at another epoch is turned by the rotation in between: 1 mm in 25 km over five years. Translations
drop out of a vector; rotation and scale are those of the published transformations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.observations import GnssVectorCluster, Network, ObservationCluster
from transforms.rotations import skew_matrix

FloatArray = NDArray[np.float64]

_RAD_PER_MAS: Final = np.pi / 180.0 / 3600.0 / 1000.0


@dataclass(frozen=True)
class _Turn:
    """Rotation and scale of a transformation, coordinate-frame signs as published.

    rotation_mas, scale_ppb at reference_year, and their rates a year (at the epoch of the observation)
    """

    rotation_mas: tuple[float, float, float]
    scale_ppb: float
    rotation_mas_per_yr: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale_ppb_per_yr: float = 0.0
    reference_year: float = 0.0

    def matrix(self, year: float) -> FloatArray:
        """Matrix (3, 3) that vectors are multiplied with."""
        years = year - self.reference_year
        rotation = (np.array(self.rotation_mas) + years * np.array(self.rotation_mas_per_yr)) * _RAD_PER_MAS
        scale = (self.scale_ppb + years * self.scale_ppb_per_yr) * 1e-9
        return np.asarray((1.0 + scale) * (np.eye(3) - skew_matrix(rotation)))


# Dawson and Woods (2010), J. Applied Geodesy 4:189-200, table 3.
_ITRF2008_TO_GDA94: Final = _Turn(
    (-0.4254, 2.2578, 2.4015), 9.710, (1.5461, 1.1820, 1.1551), 0.109, reference_year=1994.0
)
# ICSM, GDA2020 Technical Manual, table 3.2 (GDA94 to GDA2020) and 3.3 (ITRF2014 to GDA2020).
_GDA94_TO_GDA2020: Final = _Turn((-39.4924, -32.7221, -32.8979), -9.994)
_ITRF2014_TO_GDA2020: Final = _Turn(
    (0.0, 0.0, 0.0), 0.0, (1.50379, 1.18346, 1.20716), 0.0, reference_year=2020.0
)
_WAYS: Final[Mapping[tuple[str, str], tuple[_Turn, ...]]] = {
    ("ITRF2014", "GDA2020"): (_ITRF2014_TO_GDA2020,),
    ("ITRF2008", "GDA2020"): (_ITRF2008_TO_GDA94, _GDA94_TO_GDA2020),
    ("GDA94", "GDA2020"): (_GDA94_TO_GDA2020,),
}


def vectors_in_network_frame(network: Network) -> tuple[Network, tuple[str, ...]]:
    """The network with vectors of other frames brought to its own, and remarks that say so.

    Vectors of frames without a published way (ITRF vectors in an ITRF network: parts per billion) stay.
    """
    clusters: list[ObservationCluster] = []
    count: dict[str, int] = {}
    greatest_m = 0.0
    for cluster in network.clusters:
        if isinstance(cluster, GnssVectorCluster) and (cluster.frame, network.frame) in _WAYS:
            epoch = network.epoch if cluster.epoch is None else cluster.epoch
            if epoch is not None:
                vector = np.asarray(cluster.vector_m, dtype=np.float64)
                turned = vector
                for turn in _WAYS[cluster.frame, network.frame]:
                    turned = turned @ turn.matrix(float(epoch.decimal_year())).T
                greatest_m = max(greatest_m, float(np.linalg.norm(turned - vector, axis=1).max(initial=0.0)))
                count[cluster.frame] = count.get(cluster.frame, 0) + len(vector)
                clusters.append(replace(cluster, vector_m=turned))
                continue
        clusters.append(cluster)
    if not count:
        return network, ()
    words = " and ".join(f"{number} from {frame}" for frame, number in sorted(count.items()))
    return replace(network, clusters=tuple(clusters)), (
        f"vectors were brought to {network.frame}, {words}: by up to {greatest_m * 1e3:.1f} mm",
    )
