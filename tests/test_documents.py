"""The documents say nothing that the repository does not hold: links, commands, targets, dependencies."""

import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.main import get_command

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("sample_data/*.md")]
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"^[a-z]+:", re.IGNORECASE)
GLOSSARY_MINIMUM = 60
READMES = ["README.md", "README.zh-CN.md"]


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def prose_of(text: str) -> str:
    """Text without fenced code, where # is a comment and brackets are indices."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def headings(text: str) -> list[tuple[int, str]]:
    found = re.findall(r"^(#+) +(.+?)\s*$", prose_of(text), flags=re.MULTILINE)
    return [(len(marks), title) for marks, title in found]


def anchor(title: str) -> str:
    """Anchor of a heading as code hosts make it."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title.lower()))


def commands_named(text: str) -> set[tuple[str, ...]]:
    """Commands in `jizhun ...` code spans, without their options and arguments."""
    spans = re.findall(r"`jizhun((?: [a-z][a-z0-9-]*)+)[^`]*`", text)
    return {tuple(span.split()) for span in spans}


def make_targets_named(text: str) -> set[str]:
    return set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE))


def known_commands() -> set[tuple[str, ...]]:
    from pipelines.cli import app as module

    app = next(value for value in vars(module).values() if isinstance(value, typer.Typer))
    found: set[tuple[str, ...]] = set()

    def walk(command: object, path: tuple[str, ...]) -> None:
        found.add(path)
        for name, child in getattr(command, "commands", {}).items():
            walk(child, (*path, name))

    walk(get_command(app), ())
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for target in LINK.findall(prose_of(document.read_text(encoding="utf-8"))):
        if OUTSIDE.match(target):
            continue
        name, _, fragment = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.is_relative_to(REPOSITORY), f"{target} leaves the repository"
        assert file.exists(), f"{target} does not exist"
        if fragment:
            anchors = [anchor(title) for _, title in headings(file.read_text(encoding="utf-8"))]
            assert fragment in anchors, f"{target}: no such heading"


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md"])
def test_make_targets_named_are_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.MULTILINE))
    named = make_targets_named(text_of(name))
    assert named
    assert named <= targets, named - targets


@pytest.mark.parametrize("name", READMES)
def test_commands_named_exist(name: str) -> None:
    named = commands_named(text_of(name))
    assert len(named) >= 9
    assert named <= known_commands(), named - known_commands()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_no_document_names_a_command_that_is_not_there(document: Path) -> None:
    named = commands_named(document.read_text(encoding="utf-8"))
    if named:
        assert named <= known_commands(), named - known_commands()


def test_both_readmes_tell_the_same_story() -> None:
    english, chinese = (text_of(name) for name in READMES)
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(chinese)]
    assert commands_named(english) == commands_named(chinese)
    assert make_targets_named(english) == make_targets_named(chinese)
    assert english.count("\n|") == chinese.count("\n|")
    assert english.count("\n- ") == chinese.count("\n- ")
    outside = {t for t in LINK.findall(english) + LINK.findall(chinese) if OUTSIDE.match(t)}
    inside = [{t for t in LINK.findall(text) if t not in outside} for text in (english, chinese)]
    assert inside[0] - {"README.zh-CN.md"} == inside[1] - {"README.md"}


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))
    reasons = text_of("docs/decisions/0002-dependencies.md")
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in wanted]
    assert [name for name in names if f"`{name}`" not in reasons] == []
    # And no reason is left for what is gone.
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", reasons, flags=re.MULTILINE)
    assert set(explained) <= set(names)


def test_pins_quoted_are_the_pins_in_force() -> None:
    requirements = tomllib.loads(text_of("pyproject.toml"))["project"]["dependencies"]
    quoted = re.findall(
        r"^- `([a-z]+[<>=][^`]+)`", text_of("docs/decisions/0002-dependencies.md"), re.MULTILINE
    )
    assert quoted
    assert set(quoted) <= set(requirements)


def test_glossary_is_bilingual_without_repeats() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text_of("docs/glossary.md").splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    terms = [row for row in rows if row[0] not in {"abbreviation", "English"}]
    assert len(terms) >= GLOSSARY_MINIMUM
    assert [
        row for row in terms if not any("\u4e00" <= letter <= "\u9fff" for cell in row for letter in cell)
    ] == []
    first = [row[0] for row in terms]
    assert sorted({term for term in first if first.count(term) > 1}) == []


def test_decisions_are_numbered_without_gaps_and_linked() -> None:
    decisions = sorted(p.name for p in (REPOSITORY / "docs" / "decisions").glob("*.md"))
    assert [name[:4] for name in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    readme = text_of("README.md")
    assert [name for name in decisions if f"docs/decisions/{name}" not in readme] == []


def test_changelog_names_the_version_in_the_making() -> None:
    assert "## [Unreleased]" in text_of("CHANGELOG.md")
