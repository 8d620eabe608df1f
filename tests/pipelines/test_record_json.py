"""What is kept between runs comes back bit for bit, and what is damaged is told."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.record_json import record_from_json, record_to_json
from pipelines.solution_json import read_solution_file, solution_contract, solution_file_bytes
from pipelines.work_store import StageKey, WorkStore
from stations.records import StationSolution, Verdict
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale


@dataclass(frozen=True, eq=False)
class Sample:
    """Every kind of field that the records use."""

    name: str
    value: float
    count: int
    flag: bool
    verdict: Verdict
    optional: float | None
    pair: tuple[float, float]
    by_pair: dict[tuple[str, str], float]
    epochs: Epochs
    array: np.ndarray


def equal(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray):
        return (
            isinstance(second, np.ndarray)
            and first.dtype == second.dtype
            and first.shape == second.shape
            and first.tobytes() == second.tobytes()
        )
    if is_dataclass(first):
        return type(first) is type(second) and all(
            equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(first)
        )
    if isinstance(first, dict):
        return isinstance(second, dict) and equal(tuple(first.items()), tuple(second.items()))
    if isinstance(first, tuple):
        return isinstance(second, tuple) and len(first) == len(second) and all(map(equal, first, second))
    return type(first) is type(second) and (first == second or repr(first) == repr(second))


@given(
    st.text(),
    st.floats(),
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.none() | st.floats(),
    st.lists(st.floats(width=32), max_size=6),
    st.integers(0, 2**62),
)
def test_round_trip_is_exact(
    text: str, value: float, count: int, flag: bool, optional: float | None, values: list[float], ns: int
) -> None:
    sample = Sample(
        text,
        value,
        count,
        flag,
        Verdict.REJECT,
        optional,
        (value, -value),
        {(text, "b"): value},
        Epochs(np.array([ns, -ns]), TimeScale.BDT),
        np.array(values, dtype=np.float32).reshape(-1, 1),
    )
    text_form = record_to_json(sample)
    again = record_from_json(Sample, text_form)
    assert equal(sample, again)
    assert record_to_json(again) == text_form


def test_solution_round_trip(make_solution: Callable[..., StationSolution]) -> None:
    solution = make_solution()
    again = record_from_json(StationSolution, record_to_json(solution))
    assert equal(solution, again)
    assert equal(read_solution_file(Path("x"), solution_file_bytes(solution)), solution)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff\x00", b'{"format":"jizhun-station-solution-1","solution":{}}', b"%=SNX 2.02"],
)
def test_other_files_are_no_solutions(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^jz01\.json: "):
        read_solution_file(Path("jz01.json"), content)


def test_truncated_solution_is_told(make_solution: Callable[..., StationSolution]) -> None:
    content = solution_file_bytes(make_solution())
    for cut in (len(content) // 3, len(content) - 4):
        with pytest.raises(InputError, match=r"^jz01\.json: "):
            read_solution_file(Path("jz01.json"), content[:cut])


def test_contract_holds_every_key(make_solution: Callable[..., StationSolution]) -> None:
    contract = solution_contract(make_solution(), seconds=1.234)
    assert set(contract) >= {
        "station", "epoch", "frame", "position_ecef_m", "covariance_m2", "sigma_enu_m", "n_epochs",
        "n_observations", "systems", "signals", "ambiguities", "fixed_fraction", "residual_rms_m",
        "rejections", "zenith_delay_m", "inputs", "seconds",
    }  # fmt: skip
    assert contract["epoch"] == "2026-04-26T11:57:30"
    assert contract["position_ecef_m"] == [-2279829.0, 5004706.0, 3219777.0]
    assert set(contract["residual_rms_m"]) == {"phase", "code"}
    assert contract["zenith_delay_m"][1]["epoch"] == "2026-04-26T06:00:00"
    assert contract["inputs"][1] == {"path": "wum.sp3", "sha256": "b" * 64}
    assert contract["seconds"] == 1.23


def test_stage_is_reused_until_something_changes(
    tmp_path: Path, make_solution: Callable[..., StationSolution]
) -> None:
    store = WorkStore(tmp_path)
    solution = make_solution()

    def key(**changes: object) -> StageKey:
        parts: dict[str, object] = {
            "stage": "solve",
            "subject": "JZ01 2026-116",
            "code": ("transforms", "pipelines.work_store"),
            "input_sha256": ("a" * 64, "b" * 64),
            "settings": {"interval_s": 300.0},
        }
        return StageKey(**{**parts, **changes})  # type: ignore[arg-type]

    first = store.recall_or(key(), StationSolution, lambda: solution)
    assert not first.reused

    def never() -> StationSolution:
        raise AssertionError("computed although nothing changed")

    for same in (key(), key(input_sha256=("b" * 64, "a" * 64))):
        again = store.recall_or(same, StationSolution, never)
        assert again.reused
        assert again.sha256 == first.sha256
        assert equal(again.record, solution)
    for other in (
        key(input_sha256=("c" * 64, "b" * 64)),
        key(settings={"interval_s": 30.0}),
        key(code=("transforms", "pipelines.settings")),
        key(stage="quality"),
    ):
        assert not store.recall_or(other, StationSolution, lambda: solution).reused


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b'{"station":1}', None])
def test_damaged_result_is_computed_again(
    tmp_path: Path, make_solution: Callable[..., StationSolution], damage: bytes | None
) -> None:
    store = WorkStore(tmp_path)
    key = StageKey("solve", "x", ("transforms.errors",), (), {})
    store.recall_or(key, StationSolution, make_solution)
    path = store.path_of(key)
    path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    assert not store.recall_or(key, StationSolution, make_solution).reused
    assert store.recall_or(key, StationSolution, make_solution).reused
