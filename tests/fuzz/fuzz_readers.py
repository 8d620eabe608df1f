"""Fuzz every reader of the registry: `make fuzz`, or `python tests/fuzz/fuzz_readers.py --minutes 10`.

Each reader runs in a process of its own for the asked minutes. It is given its examples, damaged: bytes
flipped, lines cut, repeated, swapped and joined, fields replaced by what tends to break readers (NaN, huge
numbers, blanks, wrong dates), parts of other examples inserted. Damaged files that make the reader run
through lines that no file before reached are kept and damaged further. Anything but a record or the one
error, and anything slower than 5 s, is a finding: the file is written to the output folder, and the exit
code is 1. The same seed gives the same files.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from stations.formats.registry import FORMATS, FileFormat
from transforms.errors import FormatError, InputError

EXAMPLES = Path(__file__).resolve().parent.parent / "stations" / "formats" / "examples"
SLOW_S = 5.0
LARGEST_BYTES = 30_000
FINDINGS_KEPT = 20
TRACED_SHARE = 0.25  # tracing is slow: this share of the files is run with it
TOKENS = (
    b"NaN", b"nan", b"inf", b"-inf", b"1e999", b"-1E-999", b"9" * 400, b"1D+05", b"+-1", b"0", b"-0", b"-1",
    b"99", b"999", b"9999", b"2147483648", b"9223372036854775808", b"*", b"****", b".", b"-", b"+", b"%",
    b"00:000:00000", b"99:366:86400", b"0000:000:00000", b"2026:000:00000", b"2026  2 30 25 61 61.0000000",
    b"\x00", b"\xff", b"\xc3\xa9", b"\xe5\x9f\xba", b"\t", b"\r", b"\n\n", b"\x1a", b"\x0b", b"\x0c", b"\x85",
    b"END OF HEADER", b"COMMENT", b">", b"&", b"#", b"+", b" " * 80, b"\xb2", b"\xd9\xa3",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What the fuzzing of one reader came to."""

    name: str
    n_files: int
    n_kept: int
    n_lines: int
    seconds: float
    findings: tuple[str, ...]


def damage(data: bytes, corpus: list[bytes], chance: random.Random) -> bytes:
    """The bytes after one to six damages."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        data = chance.choice(DAMAGES)(data, corpus, chance)
    return data[:LARGEST_BYTES]


def flip_bit(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """One bit turned."""
    if not data:
        return data
    out = bytearray(data)
    out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def set_byte(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """One byte replaced by a character that files hold."""
    if not data:
        return data
    out = bytearray(data)
    out[chance.randrange(len(out))] = chance.choice(b"0123456789 .-+EDGRCESJ*>#%\n\xff")
    return bytes(out)


def cut(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A stretch left out, or all to the end."""
    begin = chance.randrange(len(data) + 1)
    size = len(data) if chance.random() < 0.2 else chance.choice((1, 2, 5, 20, 80, 400))
    return data[:begin] + data[begin + size :]


def overwrite(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A token written over what stands there, columns kept."""
    token = chance.choice(TOKENS)
    begin = chance.randrange(len(data) + 1)
    return data[:begin] + token + data[begin + len(token) :]


def insert(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A token put in between."""
    begin = chance.randrange(len(data) + 1)
    return data[:begin] + chance.choice(TOKENS) + data[begin:]


def replace_word(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """One word of a line replaced by a token, right-justified in its place."""
    lines = data.split(b"\n")
    row = chance.randrange(len(lines))
    words = lines[row].split(b" ")
    place = chance.randrange(len(words))
    token = chance.choice(TOKENS)
    words[place] = token.rjust(len(words[place]))
    lines[row] = b" ".join(words)
    return b"\n".join(lines)


def shuffle_lines(data: bytes, _: list[bytes], chance: random.Random) -> bytes:
    """A line left out, doubled, many times repeated, swapped with another, joined with the next, or cut."""
    lines = data.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(6)
    if kind == 0:
        del lines[first]
    elif kind == 1:
        lines.insert(second, lines[first])
    elif kind == 2:
        lines[first:first] = [lines[first]] * chance.choice((3, 30, 100))
    elif kind == 3:
        lines[first], lines[second] = lines[second], lines[first]
    elif kind == 4 and first + 1 < len(lines):
        lines[first : first + 2] = [lines[first] + lines[first + 1]]
    else:
        lines[first] = lines[first][: chance.randrange(len(lines[first]) + 1)]
    return b"\n".join(lines)


def splice(data: bytes, corpus: list[bytes], chance: random.Random) -> bytes:
    """The lines of another file from somewhere on, or a stretch of it in between."""
    other = chance.choice(corpus).split(b"\n")
    lines = data.split(b"\n")
    at, begin = chance.randrange(len(lines) + 1), chance.randrange(len(other) + 1)
    if chance.random() < 0.5:
        return b"\n".join(lines[:at] + other[begin:])
    return b"\n".join(lines[:at] + other[begin : begin + chance.choice((1, 3, 10))] + lines[at:])


DAMAGES: tuple[Callable[[bytes, list[bytes], random.Random], bytes], ...] = (
    flip_bit, set_byte, set_byte, cut, overwrite, overwrite, insert, replace_word, replace_word,
    replace_word, shuffle_lines, shuffle_lines, splice,
)  # fmt: skip


class LinesReached:
    """Lines of the project's own code that a run reaches (by `sys.settrace`)."""

    def __init__(self) -> None:
        self.lines: set[tuple[CodeType, int]] = set()

    def __enter__(self) -> "LinesReached":
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, _: object) -> Any:
        return self._line if "/stations/formats/" in frame.f_code.co_filename else None

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            self.lines.add((frame.f_code, frame.f_lineno))
        return self._line


def attempt(known: FileFormat, path: Path) -> str:
    """Read one file: "" where a record or the one error came in time, else what is wrong."""
    began = time.process_time()
    try:
        known.read(path)
    except (FormatError, InputError) as error:
        if str(path) not in str(error):
            return f"the error does not name the file: {error}"
    except Exception as error:  # noqa: BLE001  # whatever comes is what is looked for
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = "" if place is None else f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}"
        return f"{type(error).__name__} at {where}: {error}"
    seconds = time.process_time() - began
    return f"took {seconds:.1f} s" if seconds > SLOW_S else ""


def fuzz(known: FileFormat, minutes: float, seed: int, out: Path) -> Outcome:
    """Fuzz one reader for a time."""
    chance = random.Random(f"{seed} {known.name}")
    warnings.simplefilter("error", RuntimeWarning)  # a number that is none went into a computation
    own = [(EXAMPLES / e).read_bytes() for e in known.examples]
    everything = own * 3 + [(EXAMPLES / e).read_bytes() for f in FORMATS for e in f.examples]
    reached: set[tuple[CodeType, int]] = set()
    findings: dict[str, str] = {}
    n_files = n_kept = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed"
        while time.monotonic() - began < 60.0 * minutes:
            data = damage(chance.choice(own), everything, chance)
            path.write_bytes(data)
            n_files += 1
            if chance.random() < TRACED_SHARE:
                with LinesReached() as lines:
                    wrong = attempt(known, path)
                if not lines.lines <= reached:
                    reached |= lines.lines
                    own.append(data)
                    n_kept += 1
            else:
                wrong = attempt(known, path)
            if wrong:
                key = wrong.split(": ")[0] if not wrong.startswith("took") else "took"
                if key not in findings and len(findings) < FINDINGS_KEPT:
                    target = out / f"{known.name}--{len(findings) + 1}"
                    target.write_bytes(data)
                    findings[key] = f"{target.name}: {' '.join(wrong.split())[:200]}"
    return Outcome(
        known.name, n_files, n_kept, len(reached), time.monotonic() - began, tuple(findings.values())
    )


def main() -> int:
    """Fuzz the asked readers, several at a time; print one line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader")
    parser.add_argument("--readers", nargs="*", default=[f.name for f in FORMATS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="folder for findings")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    chosen = [f.name for f in FORMATS if f.name in asked.readers]
    n_findings = 0
    with multiprocessing.get_context("fork").Pool(asked.processes, maxtasksperchild=1) as pool:
        jobs = [(name, asked.minutes, asked.seed, asked.out) for name in chosen]
        for outcome in pool.imap_unordered(_job, jobs, chunksize=1):
            n_findings += len(outcome.findings)
            sys.stdout.write(
                f"{outcome.name}: {outcome.seconds / 60.0:.1f} minutes, {outcome.n_files} files, "
                f"{outcome.n_lines} lines reached, {len(outcome.findings)} findings\n"
            )
            for finding in outcome.findings:
                sys.stdout.write(f"  {finding}\n")
            sys.stdout.flush()
    return 1 if n_findings else 0


def _job(job: tuple[str, float, int, Path]) -> Outcome:
    name, minutes, seed, out = job
    return fuzz(next(f for f in FORMATS if f.name == name), minutes, seed, out)


if __name__ == "__main__":
    sys.exit(main())
