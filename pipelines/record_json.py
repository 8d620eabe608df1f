"""Records to JSON and back, bit for bit: how a stage's result is kept for the next run.

Any frozen dataclass of the house goes through here by its type hints: instants as nanoseconds and scale,
arrays as type, shape and base64 of their little-endian bytes, mappings in their own order.
Nothing is rounded.
"""

import base64
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import numpy as np

from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

Record = TypeVar("Record")
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def record_to_json(record: object) -> str:
    """JSON text of a record; equal records give equal texts."""
    return json.dumps(_encode(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def record_from_json(kind: type[Record], text: str) -> Record:
    """The record of type `kind` that `record_to_json` wrote; InputError where the text is another thing."""
    try:
        decoded: Record = _decode(kind, json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not a stored {kind.__name__}: {error!r}") from None
    return decoded


def _encode(value: object) -> Any:
    if isinstance(value, Epochs):
        return {"tai_ns": _encode_array(value.tai_ns), "scale": value.scale.value}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _encode(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return [[_encode(key), _encode(item)] for key, item in value.items()]
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    if isinstance(value, np.generic):
        return _encode(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a record holds a {type(value).__name__}, which has no form in JSON")


def _encode_array(array: "np.ndarray[Any, np.dtype[Any]]") -> dict[str, Any]:
    little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "dtype": little_endian.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(little_endian.tobytes()).decode("ascii"),
    }


def _decode_array(value: Mapping[str, Any]) -> "np.ndarray[Any, np.dtype[Any]]":
    flat = np.frombuffer(base64.b64decode(value["base64"], validate=True), dtype=np.dtype(value["dtype"]))
    return flat.reshape(tuple(value["shape"])).copy()


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _decode(next(a for a in arguments if a is not type(None)), value)
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(f"{value!r} is none of {arguments}")
        return value
    if origin is np.ndarray or kind is np.ndarray:
        return _decode_array(value)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_decode(arguments[0], item) for item in value)
        return tuple(_decode(item_kind, item) for item_kind, item in zip(arguments, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {_decode(arguments[0], key): _decode(arguments[1], item) for key, item in value}
    if kind is Epochs:
        return Epochs(_decode_array(value["tai_ns"]), TimeScale(value["scale"]))
    if is_dataclass(kind):
        hints = _hints(typing.cast("type", kind))
        return typing.cast("Any", kind)(**{name: _decode(hints[name], item) for name, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float:
        return _NOT_FINITE[value] if isinstance(value, str) else float(value)
    if kind in (int, str, bool):
        if not isinstance(value, kind):
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return value
    raise TypeError(f"no way from JSON to {kind}")
