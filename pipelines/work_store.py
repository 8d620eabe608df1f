"""Results of stages kept between runs, found by what they were made from.

The key is the sha256 of the stage's name, the sources of its code, the sha256 of every input file and the
settings of the stage: where nothing of that has changed, neither has the result, and it is read instead of
computed.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pipelines.code_version import source_sha256
from pipelines.record_json import record_from_json, record_to_json
from stations.formats.atomic_write import write_atomically
from transforms.errors import InputError

Record = TypeVar("Record")
STORE_LAYOUT: Final = "1"


@dataclass(frozen=True)
class StageKey:
    """What a stage's result depends on.

    stage : "quality", "solve", ...; subject : for people, "JZ01 2026-116"
    code : packages and modules whose sources the result rests on
    input_sha256 : of every input file or record; settings : of the stage, as JSON can write them
    """

    stage: str
    subject: str
    code: tuple[str, ...]
    input_sha256: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The key itself. The order of the inputs does not matter, and the subject is not part of it."""
        content = {
            "layout": STORE_LAYOUT,
            "stage": self.stage,
            "code": source_sha256(*self.code),
            "inputs": sorted(self.input_sha256),
            "settings": self.settings,
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class StageResult(Generic[Record]):
    """A stage's record, whether it was reused, and the sha256 by which later stages know it."""

    record: Record
    reused: bool
    sha256: str


@dataclass(frozen=True)
class WorkStore:
    """The `stages/` folder of a region's work folder."""

    folder: Path

    def path_of(self, key: StageKey) -> Path:
        """Where the result of a key lies or would lie."""
        return self.folder / "stages" / key.stage / f"{key.sha256}.json"

    def recall_or(
        self, key: StageKey, kind: type[Record], compute: Callable[[], Record]
    ) -> StageResult[Record]:
        """The kept result of a key, or the computed one, which is then kept.

        A kept file that is damaged is computed again: it is a convenience, not a product.
        """
        path = self.path_of(key)
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError, InputError):
            text = path.read_bytes().decode()
            kept = record_from_json(kind, text)
            return StageResult(kept, True, hashlib.sha256(text.encode()).hexdigest())
        record = compute()
        text = record_to_json(record)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path.parent}: the work folder cannot be made: {error.strerror}") from None
        write_atomically(path, text.encode())
        return StageResult(record, False, hashlib.sha256(text.encode()).hexdigest())


def sha256_of_records(records: Iterable[object]) -> tuple[str, ...]:
    """Sha256 of each record's JSON: how a later stage's key names the results that it rests on."""
    return tuple(hashlib.sha256(record_to_json(record).encode()).hexdigest() for record in records)
