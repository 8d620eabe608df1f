"""GNU Gama's XML: levelling networks are read, everything else is refused."""

import math
from pathlib import Path

import pytest

from datum.formats.gama_xml import read_gama_levelling
from transforms.errors import FormatError

NETWORK = """<?xml version="1.0" ?>
<gama-local xmlns="http://www.gnu.org/software/gama/gama-local"><network>
<description>three points</description><parameters sigma-apr="3.0"/>
<points-observations>
<point id="A" z="100.0" fix="Z"/><point id="B" adj="z"/><point id="C" adj="Z"/>
<height-differences>
<dh from="A" to="B" val="1.5" dist="4.0"/><dh from="B" to="C" val=" 0.5" stdev="6.0"/>
</height-differences></points-observations></network></gama-local>
"""


def test_points_and_height_differences_are_read(tmp_path: Path) -> None:
    path = tmp_path / "network.gkf"
    path.write_text(NETWORK)
    network = read_gama_levelling(path)
    assert network.fixed_height_m == {"A": (100.0, 0.0)}
    first, second = network.lines
    assert (first.frm, first.to, first.height_difference_m, first.length_km) == ("A", "B", 1.5, 4.0)
    assert first.sigma_m == pytest.approx(0.003 * math.sqrt(4.0))  # the manual: m_0 sqrt(D in km)
    assert second.sigma_m == pytest.approx(0.006)
    assert second.length_km == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "not well-formed"),
        (NETWORK[:200], "not well-formed"),
        ("<other/>", "the root is <other>"),
        (NETWORK.replace("<dh ", "<dx "), "<dx> is no part"),
        (NETWORK.replace('val="1.5"', ""), "<dh> has no attribute val"),
        (NETWORK.replace('val="1.5"', 'val="nan"'), "a number was expected"),
        (NETWORK.replace('dist="4.0"', ""), "neither stdev nor a dist"),
        (NETWORK.replace('dist="4.0"', 'dist="-4.0"'), "neither stdev nor a dist"),
        (
            "<gama-local><network><points-observations/></network></gama-local>",
            "no height difference",
        ),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + NETWORK,
            "a document type",
        ),
    ],
)
def test_what_is_no_levelling_network_is_refused(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "network.gkf"
    path.write_text(content)
    with pytest.raises(FormatError, match=text):
        read_gama_levelling(path)


def test_a_document_type_is_refused_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "network.gkf"
    bomb = NETWORK.replace('<?xml version="1.0" ?>', '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x>')
    path.write_bytes(bomb.encode("utf-16"))
    with pytest.raises(FormatError, match=r"a document type \(x\)"):
        read_gama_levelling(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_gama_levelling(tmp_path / "gone.gkf")
