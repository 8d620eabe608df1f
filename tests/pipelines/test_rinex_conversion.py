"""`jizhun rinex convert`: versions, packing, names, other kinds of files, and headers edited as asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stations.formats.compression import read_bytes
from stations.formats.meteorology import read_meteorology
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations

Command = Callable[..., Any]
EXAMPLES = Path(__file__).parent.parent / "stations" / "formats" / "examples"
OBSERVATIONS = EXAMPLES / "observation_v3.rnx"
METEOROLOGY = EXAMPLES / "meteorology_v3.rnx"
NAVIGATION = EXAMPLES / "navigation_v3.rnx"


@pytest.mark.parametrize("ending", ["26o", "26d", "26o.gz", "26d.Z", "26o.bz2", "rnx.zip"])
def test_rinex_2_in_every_packing(ending: str, jizhun: Command, tmp_path: Path) -> None:
    out = tmp_path / f"njls1160.{ending}"
    result = jizhun("rinex", "convert", OBSERVATIONS, "--out", out, "--version", "2.11", "--json")
    assert result.code == 0, result.err
    said = json.loads(result.out)
    written, original = read_observations(out, strict=True), read_observations(OBSERVATIONS)
    assert written.header.rinex_version == said["version"] == "2.11"
    assert said["systems"] == ["E", "G", "R"]
    # BeiDou: two signals of four observables at seven of eight epochs.
    lost = {reason: n for reason, n in said["left_out"].items() if reason.startswith("value of C")}
    assert sum(lost.values()) == 7 * 8
    assert f"{7} x value of C C2I, which RINEX 2.11 cannot carry" in result.err
    assert "will be read as" in result.err
    code = original.data["pseudorange_m"].sel(satellite="G07", signal="1C").values
    np.testing.assert_array_equal(
        written.data["pseudorange_m"].sel(satellite="G07", signal="1C").values, code
    )
    assert (b"COMPACT RINEX" in out.read_bytes()) == (ending == "26d")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "NJLS00XXX_U_20261160000_04M_30S_MO.rnx"),
        (("--compact", "--pack", "gz", "--systems", "C"), "NJLS00XXX_U_20261160000_04M_30S_CO.crx.gz"),
        (("--version", "2.11", "--pack", "none"), "njls116a00.26o"),
        (("--version", "2.12", "--compact", "--pack", "Z"), "njls116a00.26d.Z"),
        (("--marker-name", "NJLS00CHN", "--version", "4.02"), "NJLS00CHN_U_20261160000_04M_30S_MO.rnx"),
    ],
)
def test_a_folder_gets_a_name_by_the_standard(
    words: tuple[str, ...], name: str, jizhun: Command, tmp_path: Path
) -> None:
    result = jizhun("rinex", "convert", OBSERVATIONS, "--out", tmp_path, *words)
    assert result.code == 0, result.err
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert name in result.out
    read_observations(tmp_path / name, strict=True)
    again = jizhun("rinex", "convert", OBSERVATIONS, "--out", tmp_path, *words)
    assert (again.code, "exists already" in again.err) == (1, True)


EDITS = (
    "--marker-name", "NJL2", "--marker-number", "21699M002", "--receiver", "SEPT POLARX5",
    "--receiver-serial", "77", "--receiver-firmware", "5.4.0", "--antenna", "TRM59800.00 SCIS",
    "--antenna-serial", "12", "--eccentricity", "0.001,-0.002,1.25", "--position",
    "-2605000.0,4740000.5,3367000.25", "--observer", "Li Wei", "--agency", "Bureau of Surveying",
)  # fmt: skip


@pytest.mark.parametrize("version", ["2.11", "3.05", "4.02"])
def test_headers_are_edited_told_and_noted(version: str, jizhun: Command, tmp_path: Path) -> None:
    before = OBSERVATIONS.read_bytes()
    out = tmp_path / "a.rnx"
    result = jizhun("rinex", "convert", OBSERVATIONS, "--out", out, "--version", version, *EDITS, "--json")
    assert result.code == 0, result.err
    assert OBSERVATIONS.read_bytes() == before
    header = read_observations(out).header
    setup = header.setup
    assert (header.marker_name, header.marker_number) == ("NJL2", "21699M002")
    assert (header.observer, header.agency) == ("Li Wei", "Bureau of Surveying")
    assert (setup.receiver, setup.receiver_serial, setup.receiver_firmware) == ("SEPT POLARX5", "77", "5.4.0")
    assert (setup.antenna.name, setup.antenna.radome, setup.antenna.serial) == ("TRM59800.00", "SCIS", "12")
    assert setup.eccentricity_enu_m == (0.001, -0.002, 1.25)
    assert header.approximate_position_ecef_m is not None
    assert header.approximate_position_ecef_m.tolist() == [-2605000.0, 4740000.5, 3367000.25]
    changes = {c["what"]: (c["before"], c["after"]) for c in json.loads(result.out)["changes"]}
    assert changes["marker name"] == ("NJLS", "NJL2")
    assert changes["antenna"] == ("TRM59800.00 NONE", "TRM59800.00 SCIS")
    assert len(changes) == 11
    assert "changed: marker name: NJLS -> NJL2" in result.err
    assert "An example file of Jizhun: invented values" in header.comments
    assert "Jizhun edit: antenna was TRM59800.00 NONE" in header.comments
    again = jizhun(
        "rinex", "convert", out, "--out", tmp_path / "b.rnx", "--version", version, *EDITS, "--json"
    )
    assert json.loads(again.out)["changes"] == []
    assert (tmp_path / "b.rnx").read_bytes() == out.read_bytes()


def test_the_phase_centre_of_a_former_antenna_is_left_out_and_told(jizhun: Command, tmp_path: Path) -> None:
    line = f"{'G L1C        0.0010        0.0020        0.0550':<60s}ANTENNA: PHASECENTER\n"
    end = f"{'':60s}END OF HEADER\n"
    source = tmp_path / "in.rnx"
    source.write_text(OBSERVATIONS.read_text().replace(end, line + end, 1))
    kept, changed = tmp_path / "kept.rnx", tmp_path / "changed.rnx"
    assert jizhun("rinex", "convert", source, "--out", kept, "--receiver", "SEPT POLARX5").code == 0
    assert line.strip() in kept.read_text()
    result = jizhun("rinex", "convert", source, "--out", changed, "--antenna", "LEIAR25.R4 LEIT")
    assert result.code == 0, result.err
    assert "ANTENNA: PHASECENTER" not in changed.read_text()
    assert "1 x ANTENNA: PHASECENTER of the former antenna left out" in result.err


def test_what_an_event_tells_of_its_own_is_left_and_said(jizhun: Command, tmp_path: Path) -> None:
    lines = OBSERVATIONS.read_text().splitlines(keepends=True)
    fifth = [i for i, line in enumerate(lines) if line.startswith(">")][4]
    event = [
        f">{'':30s}3  2\n",
        f"{'NJLS':<60s}MARKER NAME\n",
        f"{'99':<20s}{'JAVRINGANT_DM   SCIS':<40s}ANT # / TYPE\n",
    ]
    source, out = tmp_path / "in.rnx", tmp_path / "out.rnx"
    source.write_text("".join([*lines[:fifth], *event, *lines[fifth:]]))
    words = ("--marker-name", "NJL2", "--antenna", "TRM59800.00 SCIS", "--receiver", "SEPT POLARX5")
    result = jizhun("rinex", "convert", source, "--out", out, *words)
    assert result.code == 0, result.err
    assert "tells ANT # / TYPE of its own, which is left as it is" in result.err
    (again,) = read_observations(out).events
    assert again.header_lines[0].startswith("NJL2 ")
    assert again.setup is not None
    assert (again.setup.antenna.name, again.setup.receiver) == ("JAVRINGANT_DM", "SEPT POLARX5")


@pytest.mark.parametrize("version", ["2.11", "3.05", "4.02"])
def test_meteorology_is_joined_cut_and_thinned(version: str, jizhun: Command, tmp_path: Path) -> None:
    whole = read_meteorology(METEOROLOGY)
    half = len(whole.epochs) // 2
    parts = [tmp_path / "first.rnx", tmp_path / "second.rnx"]
    start, middle = whole.epochs[0].iso(), whole.epochs[half].iso()
    for part, words in zip(parts, (("--to", middle), ("--from", middle)), strict=True):
        assert jizhun("rinex", "convert", METEOROLOGY, "--out", part, *words).code == 0
    out = tmp_path / "out.rnx"
    result = jizhun("rinex", "convert", *parts[::-1], "--out", out, "--version", version, "--json")
    assert result.code == 0, result.err
    joined = read_meteorology(out)
    assert joined.rinex_version == version
    np.testing.assert_array_equal(joined.epochs.tai_ns, whole.epochs.tai_ns)
    for name, values in whole.values.items():
        np.testing.assert_array_equal(joined.values[name], values)
    assert json.loads(result.out)["left_out"] == {"epoch that another file gives too": 1}
    thin = jizhun("rinex", "convert", METEOROLOGY, "--out", tmp_path / "t.rnx", "--to", start, "--json")
    assert json.loads(thin.out)["counts"]["epochs"] == 1


def test_navigation_is_cut_and_chosen(jizhun: Command, tmp_path: Path) -> None:
    whole = read_navigation(NAVIGATION)
    out = tmp_path / "out.rnx.gz"
    result = jizhun(
        "rinex", "convert", NAVIGATION, "--out", out, "--systems", "G", "--version", "4.02", "--json"
    )
    assert result.code == 0, result.err
    chosen = read_navigation(out)
    assert {s[0] for s in chosen.satellites} == {"G"}
    assert chosen.rinex_version == "4.02"
    expected = whole.kepler.eccentricity[[s[0] == "G" for s in whole.kepler.satellite]]
    np.testing.assert_array_equal(np.sort(chosen.kepler.eccentricity), np.sort(expected))
    last = whole.kepler.time_of_clock[int(np.argmax(whole.kepler.time_of_clock.tai_ns))]
    late = jizhun("rinex", "convert", NAVIGATION, "--out", tmp_path / "late.rnx", "--from", last.iso())
    assert late.code == 0, late.err
    assert len(read_navigation(tmp_path / "late.rnx").kepler) < len(whole.kepler)


@pytest.mark.parametrize(
    ("source", "words", "code", "said"),
    [
        (OBSERVATIONS, ("--out", "{}/o.txt"), 1, "the ending says how"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--compact"), 2, "says how it is packed"),
        (OBSERVATIONS, ("--out", "{}/none/o.rnx"), 1, "cannot be written"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--from", "noon"), 2, "no epoch"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--to", "2026-04-31"), 2, "no epoch"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--eccentricity", "1,2"), 2, "three numbers"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--eccentricity", "nan,0,0"), 2, "three numbers"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--position", "-2605,4740,3367"), 1, "from the geocentre"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--marker-name", " "), 1, "must not be blank"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--observer", "x" * 21), 1, "RINEX has 20"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--agency", "测绘局"), 1, "plain ASCII"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--antenna", "TRM59800.00 RADOME"), 1, "expected a type"),
        (OBSERVATIONS, ("--out", "{}/o.rnx", "--version", "2.11", "--systems", "C"), 1, "can carry none"),
        (METEOROLOGY, ("--out", "{}/o.crx"), 1, "Compact RINEX is for observations"),
        (METEOROLOGY, ("--out", "{}/o.rnx", "--systems", "G"), 1, "no satellite systems"),
        (METEOROLOGY, ("--out", "{}/o.rnx", "--observer", "Li Wei"), 1, "edited of observations"),
        (METEOROLOGY, ("--out", "{}/o.rnx", "--version", "2.12"), 1, "not 2.12"),
        (METEOROLOGY, ("--out", "{}/o.rnx", "--from", "2040-01-01"), 1, "no epoch"),
        (NAVIGATION, ("--out", "{}/o.rnx", "--interval", "30"), 1, "no interval"),
        (NAVIGATION, ("--out", "{}/o.rnx", "--from", "2040-01-01"), 1, "no navigation message"),
        (EXAMPLES / "orbits_d.sp3", ("--out", "{}/o.rnx"), 1, "can be converted"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_convert_refuses(
    source: Path, words: tuple[str, ...], code: int, said: str, jizhun: Command, tmp_path: Path
) -> None:
    result = jizhun("rinex", "convert", source, *(w.format(tmp_path) for w in words))
    assert result.code == code
    assert said in " ".join(result.err.split())
    assert result.out == ""
    assert list(tmp_path.iterdir()) == []


def test_files_of_several_kinds_are_refused(jizhun: Command, tmp_path: Path) -> None:
    result = jizhun("rinex", "convert", OBSERVATIONS, METEOROLOGY, "--out", tmp_path / "o.rnx")
    assert result.code == 1
    assert "several kinds" in result.err


def test_the_same_input_gives_the_same_bytes(jizhun: Command, tmp_path: Path) -> None:
    for ending in ("26d.Z", "rnx.zip", "crx.bz2"):
        outs = [tmp_path / f"{n}.{ending}" for n in "ab"]
        for out in outs:
            assert jizhun("rinex", "convert", OBSERVATIONS, "--out", out).code == 0
        if ending != "rnx.zip":  # whose member bears the file's name
            assert outs[0].read_bytes() == outs[1].read_bytes()
        assert read_bytes(outs[0])[0] == read_bytes(outs[1])[0]


@pytest.mark.parametrize(("version", "newest"), [("2.11", 2), ("2.12", 2), ("3.05", 3), ("4.02", 4)])
def test_header_lines_without_a_field_are_kept_or_told(
    version: str, newest: int, jizhun: Command, tmp_path: Path
) -> None:
    # Label, words, the version that began with it (RINEX 2.11, table A1; 3.05 and 4.02, table A2).
    lines = [
        ("NON_GEODETIC", "MARKER TYPE", 3),
        (f"{0.1:14.4f}{0.2:14.4f}{0.3:14.4f}", "ANTENNA: DELTA X/Y/Z", 3),
        ("https://doi.org/10.0000/invented", "DOI", 4),
        (f"{1:6d}", "RCV CLOCK OFFS APPL", 2),
        ("G CC2NONCC          p1c1bias.hist", "SYS / DCBS APPLIED", 3),
        ("E a program         a source", "SYS / PCVS APPLIED", 3),
    ]
    given = [f"{words:<60s}{label}" for words, label, _ in lines]
    text = OBSERVATIONS.read_text().replace(f"{'GEODETIC':<60s}MARKER TYPE\n", "")
    source = tmp_path / "kept.rnx"
    source.write_text(text.replace(f"{'':<60s}END OF", "\n".join([*given[::-1], f"{'':<60s}END OF"])))
    out = tmp_path / "out.rnx"
    result = jizhun("rinex", "convert", source, "--out", out, "--version", version)
    assert result.code == 0, result.err
    written = out.read_text().splitlines()
    for line, (words, label, since) in zip(given, lines, strict=True):
        assert written.count(line) == (1 if since <= newest else 0)
        told = f"RINEX {version} has no {label}, left out: {' '.join(words.split())}"
        assert (told in result.err) == (since > newest)
    assert not any(line[60:] == "MARKER TYPE" and line[:8] == "GEODETIC" for line in written)
    assert read_observations(out).header.kept_lines == tuple(
        line for line, (_, _, since) in zip(given, lines, strict=True) if since <= newest
    )
    if newest > 2:  # corrections of a system come after its types of observation, and go with the system
        assert written.index(given[4]) > max(i for i, w in enumerate(written) if w.endswith("OBS TYPES"))
        alone = jizhun("rinex", "convert", source, "--out", tmp_path / "g.rnx", "--systems", "G")
        assert alone.code == 0, alone.err
        assert given[5] not in (tmp_path / "g.rnx").read_text().splitlines()
