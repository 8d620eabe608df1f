"""DynaML: stations and measurements of DynAdjust in XML (schema DynaML.xsd 1.0.2)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.dynadjust_measurements import (
    BlockText,
    DirectionText,
    MeasurementText,
    Place,
    StationText,
    network_of,
)
from datum.formats.xml_elements import XmlElement, read_xml
from datum.network.observations import Network
from stations.records import InputFile, PathLike

FloatArray = NDArray[np.float64]

_SIGMAS: Final = ("SigmaXX", "SigmaXY", "SigmaXZ", "SigmaYY", "SigmaYZ", "SigmaZZ")
_SCALES: Final = ("Vscale", "Pscale", "Lscale", "Hscale")


def read_dynaml(path: PathLike) -> Network:
    """Read a DynaML file: of stations, of measurements, or of both. Raises FormatError naming the line."""
    root, identity = read_xml(path)
    return dynaml_network(root, identity)


def dynaml_network(root: XmlElement, identity: InputFile) -> Network:
    """The network of a parsed DynaML file."""
    if root.tag != "DnaXmlFormat":
        raise root.error("<DnaXmlFormat> was expected as the root")
    stations = [_station(element) for element in root.named("DnaStation")]
    measurements = [_measurement(element) for element in root.named("DnaMeasurement")]
    if not stations and not measurements:
        raise root.error("holds neither stations nor measurements")
    return network_of(
        stations,
        measurements,
        root.attributes.get("referenceframe", ""),
        root.attributes.get("epoch", ""),
        Place(identity.path, root.line),
        identity,
    )


def _place(element: XmlElement) -> Place:
    return Place(element.path, element.line)


def _station(element: XmlElement) -> StationText:
    coordinates = element.require("StationCoord")
    return StationText(
        _place(element),
        element.word("Name"),
        element.word("Constraints"),
        element.word("Type"),
        (coordinates.word("XAxis"), coordinates.word("YAxis"), coordinates.word("Height")),
        coordinates.optional_word("HemisphereZone"),
        element.optional_word("Description"),
    )


def _measurement(element: XmlElement) -> MeasurementText:
    kind = element.word("Type")
    result = MeasurementText(
        _place(element),
        kind,
        ignored=element.optional_word("Ignore") == "*",
        first=element.optional_word("First"),
        second=element.optional_word("Second"),
        third=element.optional_word("Third"),
        value=element.optional_word("Value"),
        sigma=element.optional_word("StdDev"),
        instrument_height=element.optional_word("InstHeight"),
        target_height=element.optional_word("TargHeight"),
        frame=element.optional_word("ReferenceFrame"),
        epoch=element.optional_word("Epoch"),
        coordinates=element.optional_word("Coords") or "XYZ",
    )
    scales = [element.optional_word(name) or "1" for name in _SCALES]
    result.scales = (scales[0], scales[1], scales[2], scales[3])
    if kind == "D":
        # The measurement's own target and value are the first direction of its set.
        result.directions = [DirectionText(_place(element), result.second, result.value, result.sigma)]
        result.directions += [
            DirectionText(
                _place(child),
                child.word("Target"),
                child.word("Value"),
                child.word("StdDev"),
                child.optional_word("Ignore") == "*",
            )
            for child in element.named("Directions")
        ]
        _check_total(element, len(result.directions) - 1)
    elif kind in ("G", "X", "Y"):
        result.blocks = _blocks(element, kind)
        if kind != "G":
            _check_total(element, len(result.blocks))
    return result


def _check_total(element: XmlElement, found: int) -> None:
    total = element.optional_number("Total")
    if total is not None and int(total) != found:
        raise element.error(f"<Total> is {total:g}, and {found} were found: is the file cut off?")


def _blocks(element: XmlElement, kind: str) -> list[BlockText]:
    """Vectors or points with the names that stand before each of them."""
    tag, covariance_tag = (
        ("Clusterpoint", "PointCovariance") if kind == "Y" else ("GPSBaseline", "GPSCovariance")
    )
    first = second = ""
    blocks = []
    for child in element.children:
        if child.tag == "First":
            first = child.text
        elif child.tag == "Second":
            second = child.text
        elif child.tag == tag:
            xx, xy, xz, yy, yz, zz = (child.number(name) for name in _SIGMAS)
            blocks.append(
                BlockText(
                    _place(child),
                    first,
                    second,
                    (child.word("X"), child.word("Y"), child.word("Z")),
                    np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]),
                    [_covariance(part) for part in child.named(covariance_tag)],
                )
            )
    if not blocks:
        raise element.error(f"a measurement of type {kind} has no <{tag}>")
    return blocks


def _covariance(element: XmlElement) -> FloatArray:
    return np.array([[element.number(f"m{row}{column}") for column in (1, 2, 3)] for row in (1, 2, 3)])
