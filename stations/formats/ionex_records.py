"""What an IONEX file holds, and the figures of its format that reading and writing share."""

from dataclasses import dataclass
from typing import Final

from stations.formats.fixed_width import FloatArray
from stations.records import InputFile
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import Epochs

NANOSECOND_M: Final = SPEED_OF_LIGHT_M_PER_S * 1e-9
NO_VALUE: Final = 9999
VALUES_IN_LINE: Final = 16
DEFAULT_EXPONENT: Final = -1
KILOMETRE_M: Final = 1000.0


@dataclass(frozen=True)
class DifferentialCodeBias:
    """A bias of the auxiliary block: name is a satellite ("G01") or a station; metres, as light travels.

    system : letter of the satellites that a station's bias is for, "" where not written
    domes : of a station. The pair of signals is the one that the file's description tells.
    """

    name: str
    system: str
    domes: str
    value_m: float
    rms_m: float


@dataclass(frozen=True, eq=False)
class IonosphereMaps:
    """Vertical electron content on a grid over time.

    epochs : (n_epoch,); latitude_deg : (n_latitude,); longitude_deg : (n_longitude,); height_m : (n_height,)
    electron_content_tecu, rms_tecu : (n_epoch, n_height, n_latitude, n_longitude), NaN where the file has
        9999; rms_tecu is None without RMS maps
    layer_height_m : same shape, of HEIGHT maps, or None
    base_radius_m : radius to which the heights refer
    system : "GPS", "GNSS", ... ; mapping_function as written ("COSZ", "NONE", "")
    """

    epochs: Epochs
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    height_m: FloatArray
    electron_content_tecu: FloatArray
    rms_tecu: FloatArray | None
    layer_height_m: FloatArray | None
    base_radius_m: float
    system: str
    mapping_function: str
    elevation_cutoff_deg: float | None
    description: tuple[str, ...] = ()
    biases: tuple[DifferentialCodeBias, ...] = ()
    remarks: tuple[str, ...] = ()
    inputs: tuple[InputFile, ...] = ()
