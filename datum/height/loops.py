"""Loops of a levelling network and their misclosures against the order's limit."""

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from datum.height.levelling_orders import LevellingOrder
from datum.records import LevellingLine

# All bench marks of known height are joined to this node by lines of no length, so that a line between two of
# them closes a loop too. The name cannot be a bench mark's: names are not empty.
_KNOWN_HEIGHT: Final = ""


@dataclass(frozen=True)
class LoopMisclosure:
    """A closed loop, or a line between two bench marks of known height.

    misclosure_m : sum of the observed height differences along it, minus the known difference
    limit_m : the order's; lines : their names in sequence; closes_on_itself : False between known heights
    """

    lines: tuple[str, ...]
    length_km: float
    misclosure_m: float
    limit_m: float
    closes_on_itself: bool

    @property
    def within_limit(self) -> bool:
        """Whether the misclosure keeps to the order's limit."""
        return abs(self.misclosure_m) <= self.limit_m


@dataclass(frozen=True)
class _Step:
    """One way along a line: to `node`, a rise of `rise_m` over `length_km`."""

    node: str
    rise_m: float
    length_km: float
    line: str | None


def connected_parts(lines: Sequence[LevellingLine]) -> tuple[tuple[str, ...], ...]:
    """Bench marks that hang together by lines: sorted names in each part, parts by their first name."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        neighbours[line.frm].add(line.to)
        neighbours[line.to].add(line.frm)
    parts: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        part, waiting = {start}, [start]
        while waiting:
            for other in neighbours[waiting.pop()] - part:
                part.add(other)
                waiting.append(other)
        seen |= part
        parts.append(tuple(sorted(part)))
    return tuple(parts)


def loop_misclosures(
    lines: Sequence[LevellingLine], known_height_m: Mapping[str, float], order: LevellingOrder
) -> tuple[LoopMisclosure, ...]:
    """The shortest loop through each line that lies on one, each loop once, in the order of the lines.

    Parameters
    ----------
    lines : with observed height differences
    known_height_m : bench marks between which a line closes as well
    order : gives the limit for the loop's length
    """
    graph: dict[str, list[_Step]] = defaultdict(list)
    for line in lines:
        graph[line.frm].append(_Step(line.to, line.height_difference_m, line.length_km, line.name))
        graph[line.to].append(_Step(line.frm, -line.height_difference_m, line.length_km, line.name))
    for bench_mark, height in known_height_m.items():
        if bench_mark in graph:
            graph[_KNOWN_HEIGHT].append(_Step(bench_mark, height, 0.0, None))
            graph[bench_mark].append(_Step(_KNOWN_HEIGHT, -height, 0.0, None))
    loops: dict[frozenset[str], LoopMisclosure] = {}
    for line in lines:
        way = _shortest_way(graph, line)
        if way is None:
            continue
        names = (line.name, *(step.line for step in way if step.line is not None))
        length = line.length_km + math.fsum(step.length_km for step in way)
        loops.setdefault(
            frozenset(names),
            LoopMisclosure(
                lines=names,
                length_km=length,
                misclosure_m=line.height_difference_m + math.fsum(step.rise_m for step in way),
                limit_m=order.misclosure_limit_m_per_sqrt_km * math.sqrt(length),
                closes_on_itself=all(step.line is not None for step in way),
            ),
        )
    return tuple(loops.values())


def _shortest_way(graph: Mapping[str, Sequence[_Step]], line: LevellingLine) -> list[_Step] | None:
    """Shortest way back from the end of a line to its start that avoids it, or None (Dijkstra 1959)."""
    best = {line.to: 0.0}
    came: dict[str, tuple[str, _Step]] = {}
    queue = [(0.0, line.to)]
    while queue:
        length, node = heapq.heappop(queue)
        if node == line.frm:
            way: list[_Step] = []
            while node != line.to:
                node, step = came[node]
                way.append(step)
            return way[::-1]
        if length > best[node]:
            continue
        for step in graph[node]:
            if step.line == line.name:
                continue
            reached = length + step.length_km
            if reached < best.get(step.node, math.inf):
                best[step.node] = reached
                came[step.node] = (node, step)
                heapq.heappush(queue, (reached, step.node))
    return None
