"""XML as a tree whose elements know their line, so that an error can name the place.

Expat does the parsing: lxml would bring a second parser for what expat's `CurrentLineNumber` gives. A
document type is refused where it begins, and with it every entity but the five of XML itself.
"""

import math
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from stations.formats.compression import read_bytes
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

MAXIMUM_BYTES: Final = 1_000_000_000  # a nation's network in DynaML is a few hundred megabytes
MAXIMUM_DEPTH: Final = 64


class XmlElement:
    """An element: tag without namespace, attributes, stripped text, children, and the line it begins in."""

    __slots__ = ("attributes", "children", "line", "path", "tag", "text")

    def __init__(self, path: PathLike, tag: str, attributes: dict[str, str], line: int) -> None:
        self.path = path
        self.tag = tag
        self.attributes = attributes
        self.text = ""
        self.children: list[XmlElement] = []
        self.line = line

    def error(self, message: str) -> FormatError:
        """A FormatError that names file, line and element."""
        return FormatError(self.path, self.line, f"<{self.tag}>: {message}")

    def named(self, *tags: str) -> Iterator["XmlElement"]:
        """The children of these tags, in order."""
        return (child for child in self.children if child.tag in tags)

    def child(self, tag: str) -> "XmlElement | None":
        """The first child of that tag, or None; whatever the case of its letters."""
        lower = tag.lower()
        return next((child for child in self.children if child.tag.lower() == lower), None)

    def require(self, tag: str) -> "XmlElement":
        """The first child of that tag; FormatError where there is none."""
        found = self.child(tag)
        if found is None:
            raise self.error(f"has no <{tag}>")
        return found

    def word(self, tag: str) -> str:
        """The text of a child, which must not be empty."""
        found = self.require(tag)
        if not found.text:
            raise found.error("is empty")
        return found.text

    def optional_word(self, tag: str) -> str:
        """The text of a child; "" where it is absent or empty."""
        found = self.child(tag)
        return "" if found is None else found.text

    def number(self, tag: str) -> float:
        """The finite number in a child."""
        self.word(tag)
        return self.require(tag).own_number()

    def optional_number(self, tag: str) -> float | None:
        """The finite number in a child; None where it is absent or empty."""
        found = self.child(tag)
        return None if found is None or not found.text else found.own_number()

    def own_number(self) -> float:
        """The finite number that is this element's text."""
        return self._finite(self.text, self.text)

    def attribute(self, name: str) -> str:
        """An attribute that must not be empty."""
        value = self.attributes.get(name, "").strip()
        if not value:
            raise self.error(f"has no attribute {name}")
        return value

    def attribute_number(self, name: str) -> float:
        """A finite number in an attribute."""
        text = self.attribute(name)
        return self._finite(text, f'{name}="{text}"')

    def optional_attribute_number(self, name: str) -> float | None:
        """A finite number in an attribute, or None where there is none."""
        return self.attribute_number(name) if name in self.attributes else None

    def _finite(self, text: str, shown: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(f"a number was expected, and {shown!r} was found")
        return value


def read_xml(path: PathLike) -> tuple[XmlElement, InputFile]:
    """The root of an XML file, plain or compressed, and the file's identity. Raises FormatError."""
    data, identity = read_bytes(path, maximum_bytes=MAXIMUM_BYTES)
    return parse_xml(path, data), identity


def parse_xml(path: PathLike, data: bytes) -> XmlElement:
    """The root element of XML bytes. Raises FormatError with the line where they are not well-formed."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    open_elements: list[XmlElement] = []
    texts: list[list[str]] = []
    roots: list[XmlElement] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if len(open_elements) >= MAXIMUM_DEPTH:
            raise FormatError(path, line, f"elements are nested deeper than {MAXIMUM_DEPTH}")
        element = XmlElement(path, name.rsplit(" ", 1)[-1], attributes, line)
        if open_elements:
            open_elements[-1].children.append(element)
        else:
            roots.append(element)
        open_elements.append(element)
        texts.append([])

    def end(_: str) -> None:
        open_elements.pop().text = "".join(texts.pop()).strip()

    def refuse(name: str, *_: object) -> None:
        raise FormatError(
            path, parser.CurrentLineNumber, f"a document type ({name}) is declared, and none is accepted"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text) if texts else None
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(
            path,
            error.lineno,
            f"not well-formed XML ({expat.ErrorString(error.code)}): is the file cut off?"
            if error.lineno >= data.count(b"\n")
            else f"not well-formed XML ({expat.ErrorString(error.code)})",
        ) from None
    except (LookupError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, parser.CurrentLineNumber, f"not readable as XML ({error})") from None
    return roots[0]
