"""Levelling networks in the XML of GNU Gama's gama-local (its manual, chapter "XML input data format").

Read are `<point id z fix|adj>` and `<height-differences><dh from to val dist|stdev/>`, with `sigma-apr` of
`<parameters>` as the sigma in mm for one kilometre. Other observations make the file something else than a
levelling network and are refused. A document type, and with it any entity, is refused.
"""

import hashlib
import math
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from datum.height.levelling_orders import levelling_order
from datum.records import LevellingLine, LevellingNetwork, TideSystem
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

MAXIMUM_BYTES: Final = 50_000_000  # a national network is under a tenth of it
_IGNORED: Final = frozenset(
    {"description", "parameters", "points-observations", "point", "height-differences"}
)


class _TreeWithoutDocumentType(ElementTree.TreeBuilder):
    """Builds the tree and refuses a document type where it begins, before any entity in it can be used."""

    def __init__(self, path: PathLike) -> None:
        super().__init__()
        self._path = path

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called by the parser at <!DOCTYPE, whatever the encoding of the file."""
        raise FormatError(self._path, None, f"a document type ({name}) is declared, and none is accepted")


def read_gama_levelling(
    path: PathLike,
    *,
    order: int = 2,
    vertical_datum: str = "local",
    tide_system: TideSystem = TideSystem.MEAN_TIDE,
) -> LevellingNetwork:
    """Read a levelling network of gama-local.

    Parameters
    ----------
    path : XML file (.gkf)
    order, vertical_datum, tide_system : what the format does not say

    Raises FormatError for anything that is not such a file.
    """
    source = Path(path)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise FormatError(path, None, f"cannot be read ({error.strerror})") from error
    if len(data) > MAXIMUM_BYTES:
        raise FormatError(path, None, f"{len(data)} bytes; a levelling network has at most {MAXIMUM_BYTES}")
    parser = ElementTree.XMLParser(target=_TreeWithoutDocumentType(path))
    try:
        parser.feed(data)
        root = parser.close()
    except ElementTree.ParseError as error:
        raise FormatError(path, error.position[0], f"not well-formed XML ({error})") from None
    if _tag(root) != "gama-local":
        raise FormatError(path, None, f"the root is <{_tag(root)}>, and <gama-local> was expected")
    sigma_1km_m = levelling_order(order).sigma_m_per_sqrt_km
    fixed: dict[str, tuple[float, float]] = {}
    lines: list[LevellingLine] = []
    for element in root.iter():
        tag = _tag(element)
        if tag == "parameters" and "sigma-apr" in element.attrib:
            sigma_1km_m = _number(path, element, "sigma-apr") / 1000.0
        elif tag == "point":
            if "z" in element.attrib and "z" in element.get("fix", "").lower():
                fixed[_text(path, element, "id")] = (_number(path, element, "z"), 0.0)
        elif tag == "dh":
            lines.append(_line(path, element, len(lines) + 1, sigma_1km_m))
        elif tag not in _IGNORED and tag not in {"gama-local", "network"}:
            raise FormatError(path, None, f"<{tag}> is no part of a levelling network")
    if not lines:
        raise FormatError(path, None, "no height difference <dh> found")
    return LevellingNetwork(
        vertical_datum=vertical_datum,
        tide_system=tide_system,
        order=order,
        lines=tuple(lines),
        fixed_height_m=fixed,
        geodetic_position_deg={},
        stations={},
        inputs=(InputFile(str(path), hashlib.sha256(data).hexdigest()),),
    )


def _line(path: PathLike, element: ElementTree.Element, number: int, sigma_1km_m: float) -> LevellingLine:
    start, end = _text(path, element, "from"), _text(path, element, "to")
    length_km = _number(path, element, "dist") if "dist" in element.attrib else math.nan
    if "stdev" in element.attrib:
        sigma_m = _number(path, element, "stdev") / 1000.0
        if math.isnan(length_km):
            length_km = (sigma_m / sigma_1km_m) ** 2  # the length that this sigma stands for
    elif length_km > 0.0:
        sigma_m = sigma_1km_m * math.sqrt(length_km)
    else:
        raise FormatError(path, None, f"<dh> {start} to {end} has neither stdev nor a dist greater than 0")
    return LevellingLine(
        f"{number}:{start}-{end}", start, end, _number(path, element, "val"), length_km, sigma_m, number
    )


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(path: PathLike, element: ElementTree.Element, name: str) -> str:
    value = element.get(name, "").strip()
    if not value:
        raise FormatError(path, None, f"<{_tag(element)}> has no attribute {name}")
    return value


def _number(path: PathLike, element: ElementTree.Element, name: str) -> float:
    text = _text(path, element, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(path, None, f'<{_tag(element)} {name}="{text}">: a number was expected')
    return value
