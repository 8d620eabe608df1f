"""What holds a network, as a user asks for it: stations fixed, weighted, minimal, or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from datum.network.constraints import DatumParameter
from datum.network.observations import (
    ComponentRole,
    DatumKind,
    Network,
    NetworkDatum,
    NetworkPoint,
    PlanePoint,
)
from transforms.errors import InputError

_HELD = frozenset({ComponentRole.FIXED, ComponentRole.WEIGHTED, ComponentRole.DATUM})


@dataclass(frozen=True)
class DatumChoice:
    """A user's datum; all empty keeps the one of the files.

    fixed, weighted : stations that hold the network at their given coordinates, in place of the files' own
    weight_sigma_m : east, north, up (x, y, height) of the weighted ones
    minimal : stations that carry minimal constraints; free : on all stations
    parameters : which components of the datum conditions may be set for
    """

    fixed: tuple[str, ...] = ()
    weighted: tuple[str, ...] = ()
    weight_sigma_m: tuple[float, float, float] = (0.001, 0.001, 0.001)
    minimal: tuple[str, ...] = ()
    free: bool = False
    parameters: tuple[DatumParameter, ...] = tuple(DatumParameter)


def with_datum(network: Network, choice: DatumChoice) -> Network:
    """The network held as chosen. Raises InputError for unknown stations and contradictory choices."""
    ways = [
        name
        for name, asked in (
            ("--fix or --weight", choice.fixed or choice.weighted),
            ("--minimal", choice.minimal),
            ("--free", choice.free),
        )
        if asked
    ]
    if len(ways) > 1:
        raise InputError(f"{' and '.join(ways)} exclude each other: a network has one datum")
    both = sorted(set(choice.fixed) & set(choice.weighted))
    if both:
        raise InputError(f"{', '.join(both)}: either fixed or weighted, not both")
    if not ways:
        return network
    names = {point.name for point in network.points}
    for name in (*choice.fixed, *choice.weighted, *choice.minimal):
        if name not in names:
            raise InputError(f"station {name} is to hold the datum, and is not in the network")
    points: list[NetworkPoint | PlanePoint] = [_with_role(point, choice) for point in network.points]
    kind = DatumKind.FREE if choice.free else DatumKind.MINIMAL if choice.minimal else DatumKind.POINTS
    return replace(
        network,
        points=cast("tuple[NetworkPoint, ...]", tuple(points)),  # of one kind, as they were
        datum=NetworkDatum(kind, choice.minimal, choice.parameters),
    )


def _with_role(point: NetworkPoint | PlanePoint, choice: DatumChoice) -> NetworkPoint | PlanePoint:
    wanted = ComponentRole.FREE
    weight = None
    if point.name in choice.fixed:
        wanted = ComponentRole.FIXED
    elif point.name in choice.weighted:
        wanted = ComponentRole.WEIGHTED
        weight = np.diag(np.square(choice.weight_sigma_m))
    elif choice.free and ComponentRole.DATUM in point.roles:
        return point  # the file says which points carry a free datum
    roles = [role if role is ComponentRole.ABSENT else wanted for role in point.roles]
    if wanted is not ComponentRole.FREE and not _has_coordinates(point):
        raise InputError(f"station {point.name} is to hold the datum, and no file gives its coordinates")
    return replace(point, roles=(roles[0], roles[1], roles[2]), weight_covariance_m2=weight)


def _has_coordinates(point: NetworkPoint | PlanePoint) -> bool:
    if isinstance(point, NetworkPoint):
        return point.position_ecef_m is not None
    given = (point.x_m, point.y_m, point.height_m)
    return all(
        value is not None
        for value, role in zip(given, point.roles, strict=True)
        if role is not ComponentRole.ABSENT
    )


def names_in(text: str) -> tuple[str, ...]:
    """Names of a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def holding_stations(network: Network) -> Sequence[str]:
    """The stations that hold a network by their own coordinates."""
    return [point.name for point in network.points if _HELD & set(point.roles)]
