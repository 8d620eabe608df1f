"""Pages that open on a closed network: a template of `report_assets`, its styles inside, one HTML text."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from pipelines.code_version import code_version

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Picture:
    """A plot with its caption."""

    title: str
    note: str
    svg: str


def render_page(template: str, **values: object) -> str:
    """The text of a page; the same values give the same text.

    template : file of `report_assets`; values : what it names, escaped unless `ready_html`. The code's
    version, the styles and `zip` are given to every template.

    Raises jinja2.UndefinedError where the template names what is not given.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        loader=DictLoader({"report": asset(template)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report").render(
        code_version=code_version(), report_css=ready_html(asset("report.css")), zip=zip, **values
    )


def ready_html(text: str) -> "Markup":
    """Text of our own making that is HTML already, such as a drawing, and is put into a page as it is."""
    from markupsafe import Markup

    return Markup(text)


def captioned(pictures: Iterable[Picture]) -> list[dict[str, object]]:
    """Pictures as templates take them."""
    return [{"title": p.title, "note": p.note, "svg": ready_html(p.svg)} for p in pictures]


def asset(name: str) -> str:
    """The text of a file of `report_assets`."""
    return (files("pipelines") / "report_assets" / name).read_text(encoding="utf-8")
