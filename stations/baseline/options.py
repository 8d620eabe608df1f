"""What steers a baseline solution, frozen beside the functions it steers."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from stations.ppp.options import PppOptions

# Ambiguities and clocks of GLONASS differ in frequency from satellite to satellite: it is not served.
BASELINE_SYSTEMS: Final = "GECJ"
# Places, among the two carriers of a satellite, of those that serve by themselves.
CARRIERS: Final = MappingProxyType({"both": (0, 1), "first": (0,), "second": (1,)})


@dataclass(frozen=True)
class BaselineOptions:
    """Options of a baseline solution.

    systems : letters of RINEX, "GEC"
    ionosphere : "fixed" takes the ionosphere of both stations as one and both carriers by themselves, "free"
        their ionosphere-free combination; "auto" decides by `ionosphere_free_above_m`
    carriers : with the ionosphere fixed, both, or the first (L1, E1, B1) or second alone: vectors from one
        carrier show what multipath and the antennas do to it
    interval_s : of the epochs used, or None for that of the files, at least `minimum_interval_s` where the
        session is longer than an hour
    phase_sigma_m, code_sigma_m : of one observation on one carrier at the zenith; they grow with 1/sin(e)
    ionosphere_per_length : what the ionosphere differs between the stations, in parts of their distance, at
        the zenith and on the first carrier: about 1 ppm in quiet mid-latitudes
    troposphere_above_m, troposphere_above_height_m : distance or height difference beyond which the
        difference of the zenith wet delays is estimated with the ionosphere fixed; with "free" both are
    allow_missing_antenna : solve though the antennas differ and one has no calibration
    minimum_arc_s : an arc of continuous phase common to both stations that is shorter is left out
    """

    systems: str = "GEC"
    ionosphere: Literal["auto", "fixed", "free"] = "auto"
    carriers: Literal["both", "first", "second"] = "both"
    ambiguities: Literal["float", "fix"] = "fix"
    interval_s: float | None = None
    minimum_interval_s: float = 30.0
    elevation_cutoff_rad: float = 0.17453292519943295  # 10 degrees
    ionosphere_free_above_m: float = 20_000.0
    phase_sigma_m: float = 0.002
    code_sigma_m: float = 0.3
    ionosphere_per_length: float = 1.0e-6
    troposphere_above_m: float = 2_000.0
    troposphere_above_height_m: float = 50.0
    zenith_delay_step_s: float = 3600.0
    zenith_delay_difference_sigma_m: float = 0.03
    zenith_delay_sigma_m: float = 0.3
    zenith_delay_walk_m_per_sqrt_h: float = 0.006
    gradient_step_s: float = 10800.0
    gradient_sigma_m: float = 0.001
    gradient_walk_m_per_sqrt_h: float = 0.0003
    minimum_arc_s: float = 300.0
    minimum_arc_epochs: int = 4
    rejection_limit: float = 4.5
    allow_missing_antenna: bool = False
    ppp: PppOptions = field(default_factory=PppOptions)

    def station_options(self) -> PppOptions:
        """Options for the choice of signals and the arcs of each station."""
        return PppOptions(
            systems=self.systems,
            signal_pairs=self.ppp.signal_pairs,
            maximum_gap_s=self.ppp.maximum_gap_s,
            elevation_cutoff_rad=self.elevation_cutoff_rad,
        )
