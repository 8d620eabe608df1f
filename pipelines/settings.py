"""`REGION.toml`: what a region is made of, as frozen settings.

A key that is not known is an error that names the key, the nearest known one, and the line; a relative path
is relative to the TOML file. Nothing here opens the files that the settings name: the stages do.
"""

import hashlib
import os
import tomllib
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

from pipelines.days import parse_day
from pipelines.signal_choice import satellite_groups, signal_pairs
from pipelines.solvable_systems import solvable_systems
from pipelines.toml_lines import TomlLines
from stations.records import InputFile
from transforms.errors import FormatError, FrameError, InputError
from transforms.frames import FRAMES, frame_named

MARKER_LENGTH: Final = 4  # "WUHN"; the nine-character code begins with it (RINEX 4.02, section 4)
CODE_LENGTH: Final = 9


def _beside_the_file(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("the path is empty")
    if isinstance(value, str) and isinstance(info.context, dict):
        return Path(os.path.normpath(Path(info.context["folder"]) / Path(value).expanduser()))
    return value


def _several(value: object) -> object:
    return [value] if isinstance(value, str | Path) else value


def _days(value: object) -> object:
    return [parse_day(item) for item in value] if isinstance(value, list | tuple) else value


def _day(value: object) -> object:
    return parse_day(value)


def _station_code(value: str) -> str:
    if len(value) not in (MARKER_LENGTH, CODE_LENGTH) or not value.isalnum() or value != value.upper():
        raise ValueError(f'a station is "WUHN" or "WUH200CHN" (4 or 9 capitals and digits), not "{value}"')
    return value


def _satellites(value: tuple[str, ...]) -> tuple[str, ...]:
    satellite_groups(value)
    return value


def _frame(value: str) -> str:
    """The frame's name as it is registered; an unknown one would fail only after hours of solving."""
    try:
        return frame_named(value).name
    except FrameError:
        raise ValueError(f'frame "{value}" is not known (known: {", ".join(FRAMES)})') from None


RelativePath = Annotated[Path, BeforeValidator(_beside_the_file)]
Paths = Annotated[tuple[RelativePath, ...], BeforeValidator(_several)]
StationCode = Annotated[str, AfterValidator(_station_code)]
FrameName = Annotated[str, AfterValidator(_frame)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Vector = tuple[Finite, Finite, Finite]
Day = Annotated[date, BeforeValidator(_day)]
ProductId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Settings(BaseModel):
    """Frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RegionSettings(Settings):
    """[region]: its name, its days, and the frame in which its network is computed.

    simulated : whether its observations are; every product then says so
    """

    name: Annotated[str, Field(min_length=1)]
    days: Annotated[tuple[date, ...], BeforeValidator(_days), Field(min_length=1)]
    frame: FrameName = "IGS20"
    datum_frame: FrameName = "CGCS2000"  # the national frame into which the coordinates are carried
    simulated: bool = False

    @model_validator(mode="after")
    def _each_day_once(self) -> Self:
        if len(set(self.days)) != len(self.days):
            raise ValueError("a day is named twice in region.days")
        return self


class ProcessingSettings(Settings):
    """[processing]: how a station-day is solved and how the network is held.

    alignment : what the network takes from the control stations, by minimal constraints
    signals : pairs of signals or bands to use of a system, "C:1P+5P"; the usual ones serve the others
    exclude : satellites left out on all days, "G05" or "C01-C18"
    allow_missing_antenna : solve although a receiver antenna is not calibrated; costs up to 2 dm in height
    allow_missing_stations : go on where a station of the region has no observation file at all
    solve_rejected : solve days that quality control rejects; every such day stands among the problems
    """

    systems: Annotated[str, Field(min_length=1), AfterValidator(solvable_systems)] = "GEC"
    interval_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    elevation_cutoff_deg: Annotated[float, Field(ge=0, lt=60)] = 7.0
    signals: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    exclude: Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_satellites)] = ()
    ambiguities: Literal["float", "fix"] = "float"
    alignment: Annotated[tuple[Literal["translation", "rotation", "scale"], ...], Field(min_length=1)] = (
        "translation",
    )
    centre: str | None = None
    allow_mixed_products: bool = False
    allow_missing_antenna: bool = False
    allow_missing_stations: bool = False
    solve_rejected: bool = False

    @model_validator(mode="after")
    def _signals_of_the_systems(self) -> Self:
        signal_pairs(self.signals, self.systems)
        return self


class PathSettings(Settings):
    """[paths]: where observations and products lie, and where results go."""

    observations: Annotated[Paths, Field(min_length=1)]
    products: Annotated[Paths, Field(min_length=1)]
    antex: Paths = ()
    ocean_loading: RelativePath | None = None
    quality_limits: RelativePath | None = None
    mapping_functions: Paths = ()
    catalogue: RelativePath
    work: RelativePath


class StationSettings(Settings):
    """[[stations]]: one station of the region, and what is known of it beside its files.

    velocity_m_per_yr : of the marker in the region's frame, ECEF x, y, z; without it no other epoch
    velocity_sigma_m_per_yr : of x, y, z; without it the sigma at another epoch holds nothing for the velocity
    antenna : 20 columns as in ANTEX, where the files' header is wrong or empty
    """

    code: StationCode
    domes: str = ""
    velocity_m_per_yr: Vector | None = None
    velocity_sigma_m_per_yr: Vector | None = None
    antenna: str | None = None


class ControlSettings(Settings):
    """[[control]]: a station of the national control network, whose coordinates hold the datum."""

    station: StationCode
    frame: FrameName
    epoch: Day
    position_ecef_m: Vector
    velocity_m_per_yr: Vector | None = None
    sigma_enu_m: tuple[Annotated[float, Field(gt=0)], ...] = (0.003, 0.003, 0.006)

    @model_validator(mode="after")
    def _three_sigmas(self) -> Self:
        if len(self.sigma_enu_m) != 3:
            raise ValueError("sigma_enu_m has three values: east, north, up")
        return self


class HeightSettings(Settings):
    """[heights]: the levelling network, its bench marks, its datum."""

    lines: RelativePath
    bench_marks: RelativePath
    vertical_datum: str = "1985 National Height Datum"
    tide_system: Literal["tide-free", "zero-tide", "mean-tide"] = "mean-tide"
    order: Annotated[int, Field(ge=1, le=4)] = 2


class GravitySettings(Settings):
    """[gravity]: relative readings and absolute stations."""

    readings: RelativePath
    absolute: RelativePath
    tide_system: Literal["tide-free", "zero-tide", "mean-tide"] = "zero-tide"


class CommonPointSettings(Settings):
    """[common_points]: points known in a local datum and in the national frame."""

    file: RelativePath
    kind: Literal["helmert7", "similarity4"] = "helmert7"


class PublishSettings(Settings):
    """[publish]: under which id and on which terms the products go out."""

    product: ProductId
    classification: str = "public"
    licence: str = "CC-BY-4.0"


class TruthSettings(Settings):
    """[truth]: known values that the closing table compares with (simulated regions, calibration lines)."""

    file: RelativePath


class Region(Settings):
    """A whole REGION.toml; `source` is no key: it is the file that `read_region` read."""

    _source: InputFile | None = PrivateAttr(None)

    region: RegionSettings
    processing: ProcessingSettings = ProcessingSettings()
    paths: PathSettings
    stations: Annotated[tuple[StationSettings, ...], Field(min_length=1)]
    control: tuple[ControlSettings, ...] = ()
    heights: HeightSettings | None = None
    gravity: GravitySettings | None = None
    common_points: CommonPointSettings | None = None
    publish: PublishSettings
    truth: TruthSettings | None = None

    @model_validator(mode="after")
    def _stations_agree(self) -> Self:
        markers = [station.code[:MARKER_LENGTH] for station in self.stations]
        twice = sorted({marker for marker in markers if markers.count(marker) > 1})
        if twice:
            raise ValueError(f"station {twice[0]} is named twice in [[stations]]")
        for control in self.control:
            if control.station[:MARKER_LENGTH] not in markers:
                raise ValueError(f"control station {control.station} is not one of the region's [[stations]]")
        return self

    @property
    def source(self) -> InputFile | None:
        """The file of the settings with its sha256, None where they were not read from one."""
        return self._source

    def named_files(self) -> tuple[tuple[str, Path], ...]:
        """Key and path of each single file that the settings name; folders are looked through elsewhere."""
        found: list[tuple[str, Path | None]] = [("paths.antex", path) for path in self.paths.antex]
        found.append(("paths.ocean_loading", self.paths.ocean_loading))
        if self.heights is not None:
            found += [
                ("heights.lines", self.heights.lines),
                ("heights.bench_marks", self.heights.bench_marks),
            ]
        if self.gravity is not None:
            found += [
                ("gravity.readings", self.gravity.readings),
                ("gravity.absolute", self.gravity.absolute),
            ]
        if self.common_points is not None:
            found.append(("common_points.file", self.common_points.file))
        if self.truth is not None:
            found.append(("truth.file", self.truth.file))
        return tuple((key, path) for key, path in found if path is not None)

    def station(self, name: str) -> StationSettings | None:
        """Settings of a station by its code or marker name, None where it is not of the region."""
        for station in self.stations:
            if station.code[:MARKER_LENGTH] == name[:MARKER_LENGTH].upper():
                return station
        return None


def read_region(path: Path | str) -> Region:
    """Read a REGION.toml.

    Raises InputError where the file cannot be read, FormatError with the line where a key or value is wrong.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FormatError(path, None, "not a text file in UTF-8, and a region is written in TOML") from None
    if not text.strip():
        raise FormatError(
            path, None, "the file is empty, and a region needs at least [region], [paths], [[stations]]"
        )
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(path, _line_of_toml_error(str(error)), f"not TOML: {error}") from None
    try:
        region = Region.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        first = min(error.errors(), key=_unknown_keys_first)
        line, message = _explain(first, content, TomlLines(text))
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        raise FormatError(path, line, message + more) from None
    region._source = InputFile(str(path), hashlib.sha256(data).hexdigest())
    return region


def _line_of_toml_error(message: str) -> int | None:
    _, found, rest = message.partition("at line ")
    digits = rest.partition(",")[0]
    return int(digits) if found and digits.isdecimal() else None


def _unknown_keys_first(details: ErrorDetails) -> int:
    """A misspelt key also leaves the right one missing; the misspelling is what the reader has to see."""
    return 0 if details["type"] == "extra_forbidden" else 1


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys that the table at `location` (without the last part) may have."""
    model: Any = Region
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, Settings))
    return list(model.model_fields)


def _explain(details: ErrorDetails, content: dict[str, Any], lines: TomlLines) -> tuple[int | None, str]:
    location = details["loc"]
    table = ".".join(str(part) for part in location[:-1] if isinstance(part, str))
    name = ".".join(str(part) if isinstance(part, str) else f"[{part + 1}]" for part in location)
    name = name.replace(".[", "[")
    line = lines.line_of(location)
    if details["type"] == "extra_forbidden":
        known = _known_keys(location)
        near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.0)
        where = f" in [{table}]" if table else ""
        hint = f'did you mean "{near[0]}"? ' if near else ""
        return line, f'unknown key "{location[-1]}"{where}: {hint}(known: {", ".join(known)})'
    if details["type"] == "missing":
        return line, f'"{name}" is missing'
    message = details["msg"].removeprefix("Value error, ")
    return line, f"{name}: {message}" if name else message
