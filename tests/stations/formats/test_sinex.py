"""SINEX: real IGS files, the format's own columns, what is written reads back, what is broken is refused."""

import csv
import dataclasses
import gzip
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.formats.sinex import (
    frame_of,
    parse_sinex,
    phase_centres,
    read_discontinuities,
    read_sinex,
    render_sinex,
    station_names,
    station_sinex,
    write_sinex,
)
from stations.formats.sinex_records import (
    COLUMNS,
    SinexDiscontinuity,
    SinexDocument,
    SinexHeader,
    SinexNormalEquations,
    SinexParameter,
    SinexPhaseCentre,
)
from stations.formats.sinex_writing import format_value
from stations.records import (
    AntennaCalibration,
    AntennaFrequencyCalibration,
    AntennaType,
    InputFile,
    StationSetup,
    StationSolution,
    ZenithDelays,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

IGS_FILES = [
    ("IGS0OPSSNX_20240350000_01D_01D_CRD.SNX.gz", 492, 1484),
    ("igs13P17212_CoordOnly.snx.gz", 406, 1226),
    ("igs17P49_CoordOnly.snx.gz", 1294, 22230),
    ("igs18P19821_all_CoordOnly.snx.gz", 559, 1685),
    ("igs19P20342_all_coordOnly.snx.gz", 527, 1589),
    ("igs20P2131_wocov.snx.gz", 549, 1685),
    ("igs22P2223.ssc.gz", 579, 1775),
    ("igs22P22232.ssc.gz", 561, 1691),
]
TRUTH_TOLERANCE_M = 0.00011  # TRUTH.csv is rounded to 0.1 mm


def solution(**change) -> StationSolution:
    first = Epochs.from_datetime64("2024-02-04T00:00:00")
    root = np.array([[2.1e-3, 0, 0], [4e-4, 3.3e-3, 0], [-7e-4, 2.2e-4, 1.9e-3]])
    values = {
        "station": "WUH200CHN", "domes": "21602M007",
        "epoch": first.plus_seconds(43185.0), "first_epoch": first, "last_epoch": first.plus_seconds(86370.0),
        "frame": "IGS20", "position_ecef_m": np.array([-2267750.0743216, 5009154.1821973, 3221290.5481234]),
        "covariance_m2": root @ root.T, "n_epochs": 2880, "n_observations": 101234, "systems": ("G", "C"),
        "signals": ("G:1W+2W",), "ambiguities": "float", "fixed_fraction": 0.0,
        "residual_rms_phase_m": 0.008, "residual_rms_code_m": 0.9, "rejections": {},
        "zenith_delays": ZenithDelays(Epochs(np.zeros(0, np.int64)), np.zeros(0), np.zeros(0)),
        "setup": StationSetup("JAVAD TRE_3", "02083", "3.7.9", AntennaType("JAVRINGANT_G5T", "NONE", "01168"),
                              (0.0, 0.0012, 0.206)),
        "centre": "GRG", "inputs": (), "remarks": ("an antenna without B2a inherits L2",),
    }  # fmt: skip
    return StationSolution(**(values | change))


def as_plain(record: object) -> object:
    """A record with its instants as text, so that two can be compared."""
    if isinstance(record, Epochs):
        return record.iso()
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return [as_plain(getattr(record, f.name)) for f in dataclasses.fields(record)]
    if isinstance(record, tuple):
        return [as_plain(part) for part in record]
    return record.tobytes() if isinstance(record, np.ndarray) else record


def reread(document):
    return parse_sinex(render_sinex(document), InputFile("again.snx", ""))


def text_of(document) -> list[str]:
    return render_sinex(document).decode().splitlines()


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n_sites", "n_estimates"), IGS_FILES)
def test_real_igs_files_are_read_whole_and_written_back(real_data, name, n_sites, n_estimates):
    document = read_sinex(real_data / "truth" / name)
    assert (len(document.sites), len(document.estimates)) == (n_sites, n_estimates)
    again = reread(document)
    for field in ("reference", "comments", "receivers", "antennas", "eccentricities", "epochs", "statistics",
                  "apriori", "estimates"):  # fmt: skip
        assert as_plain(getattr(again, field)) == as_plain(getattr(document, field)), field
    for ours, theirs in zip(again.sites, document.sites, strict=True):
        np.testing.assert_allclose(
            [ours.longitude_deg, ours.latitude_deg, ours.height_m],
            [theirs.longitude_deg, theirs.latitude_deg, theirs.height_m], rtol=1e-14,
        )  # fmt: skip
    assert render_sinex(again) == render_sinex(document)


@pytest.mark.real_data
def test_the_truth_table_is_what_the_files_say(real_data):
    with (real_data / "truth" / "TRUTH.csv").open(encoding="utf-8") as stream:
        row = next(r for r in csv.DictReader(stream) if r["station"] == "BOR1")
    document = read_sinex(real_data / "truth" / IGS_FILES[0][0])
    found = [p.value for p in document.estimates if p.code == "BOR1" and p.kind.startswith("STA")]
    np.testing.assert_allclose(found, [float(row[a]) for a in "XYZ"], atol=TRUTH_TOLERANCE_M)
    assert document.header.created.iso() == "2024-02-22T23:15:55"  # 24:053:83755
    assert dict(document.statistics)["VARIANCE FACTOR"] == 9.9999960277129252e-01


@pytest.mark.real_data
def test_odd_lines_of_the_igs_are_read_as_they_are_meant(real_data):
    """GODE's description runs into the longitude; GLPS lies at minus 0 degrees 44 minutes of latitude."""
    daily = read_sinex(real_data / "truth" / IGS_FILES[0][0])
    gode = next(s for s in daily.sites if s.code == "GODE")
    assert (gode.longitude_deg, gode.latitude_deg) == pytest.approx((283.173167, 39.021722), abs=1e-6)
    weekly = read_sinex(real_data / "truth" / "igs20P2131_wocov.snx.gz")
    glps = next(s for s in weekly.sites if s.code == "GLPS")
    assert glps.latitude_deg == pytest.approx(-(44 + 34.8 / 60) / 60)
    assert weekly.covariance is None  # its matrix block is empty


def test_a_station_s_document_reads_back_bit_for_bit(tmp_path):
    document = station_sinex(solution())
    write_sinex(document, tmp_path / "a.snx")
    again = read_sinex(tmp_path / "a.snx")
    before, after = as_plain(document), as_plain(dataclasses.replace(again, inputs=()))
    assert before == after
    assert (tmp_path / "a.snx").read_bytes() == render_sinex(again)
    assert [p.name for p in tmp_path.iterdir()] == ["a.snx"]
    assert frame_of(again) == "IGS20"
    assert station_names(again) == {("WUH2", "A"): "WUH200CHN"}
    np.testing.assert_allclose(again.covariance, solution().covariance_m2, rtol=1e-14)
    np.testing.assert_allclose(
        [p.value for p in again.estimates], solution().position_ecef_m, rtol=0, atol=1e-8
    )


def test_a_compressed_file_is_the_same_each_time(tmp_path):
    for name in ("a.snx.gz", "b.snx.gz"):
        write_sinex(station_sinex(solution()), tmp_path / name)
    assert (tmp_path / "a.snx.gz").read_bytes() == (tmp_path / "b.snx.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.snx.gz").read_bytes()) == render_sinex(station_sinex(solution()))


def test_every_line_stands_in_the_columns_of_the_standard():
    """SINEX 2.02 leaves one blank between fields and writes each field in its columns."""
    block = ""
    for line in text_of(station_sinex(solution())):
        if line.startswith("+"):
            block = line[1:].split(" ")[0]
        elif line.startswith(" "):
            assert len(line) <= 80
            columns = sorted(COLUMNS[block].values(), key=lambda c: c.first)
            for column, following in itertools.pairwise(columns):
                assert line[column.first + column.width : following.first].strip() == ""
    header = text_of(station_sinex(solution()))[0]
    assert header == "%=SNX 2.02 JZH 24:035:86370 JZH 24:035:00000 24:035:86370 P 00003 2 S"


def test_known_lines_are_written_to_the_letter():
    lines = text_of(station_sinex(solution()))
    assert " WUH2  A    1 P 24:035:00000 24:035:86370 24:035:43185" in lines
    assert " WUH2  A    1 P 24:035:00000 24:035:86370 UNE   0.2060   0.0012   0.0000" in lines
    assert " WUH2  A    1 P 24:035:00000 24:035:86370 JAVRINGANT_G5T  NONE 01168" in lines
    assert "     1 STAX   WUH2  A    1 24:035:43185 m    2 -2.26775007432160e+06 2.10000e-03" in lines


def test_long_serial_numbers_are_cut_and_long_names_kept():
    setup = dataclasses.replace(solution().setup, receiver_serial="1234567890", receiver_firmware="x" * 30)
    document = reread(station_sinex(solution(station="jinshan-east", setup=setup)))
    assert document.receivers[0].serial == "12345"
    assert station_names(document) == {("jins", "A"): "jinshan-east"}


@given(st.floats(-89.9, 89.9), st.floats(-180.0, 180.0), st.floats(-400.0, 8000.0))
def test_site_coordinates_survive_to_a_tenth_of_a_second(latitude, longitude, height):
    document = station_sinex(solution())
    site = dataclasses.replace(
        document.sites[0], latitude_deg=latitude, longitude_deg=longitude % 360.0, height_m=height
    )
    again = reread(dataclasses.replace(document, sites=(site,))).sites[0]
    assert again.latitude_deg == pytest.approx(latitude, abs=0.051 / 3600)
    assert (again.longitude_deg - longitude + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.051 / 3600)
    assert again.height_m == pytest.approx(height, abs=0.051)


def change(old: str, new: str) -> bytes:
    text = render_sinex(station_sinex(solution())).decode()
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("%=SNX 2.02", "%=SNX 3.00", "line 1: SINEX version '3.00'"),
        ("%=SNX", "%=BIA", "line 1: expected a SINEX header"),
        ("P 00003 2", "P 00004 2", "line 1: the header tells of 4 estimates, and there are 3"),
        ("24:035:86370 P 00003", "24:535:86370 P 00003", "line 1: expected a time YY:DDD:SSSSS"),
        ("-2.26775007432160e+06", "-2.2677500743a160e+06", r"columns 48-68 \(value\): expected a number"),
        ("-2.26775007432160e+06", "                  nan", r"columns 48-68 \(value\): expected a number"),
        ("     2 STAY", "     3 STAY", "expected parameter index 2, found 3"),
        ("-SITE/ANTENNA", "*", "block SITE/ANTENNA of line"),
        ("+SITE/ANTENNA", "*", "data outside of a block"),
        ("-SITE/ANTENNA", "-SITE/ID", "closes no open block"),
        ("+SITE/ANTENNA", "+SITE/ID", "closes no open block"),
        ("UNE", "ENU", "expected UNE or XYZ"),
        ("     3     1 ", "     4     1 ", "is not in triangle L of 3"),
        ("L COVA", "L WHAT", "expected L or U with COVA, CORR or INFO"),
        ("24:035:43185 m ", "24:x35:43185 m ", r"\(epoch\): expected a time"),
        (" WUH2  A 21602M007 P WUH200CHN", "?WUH2  A 21602M007 P WUH200CHN", "a line begins with"),
        ("M007 P WUH200CHN              114", "M007 P WUH200CHN              514", "expected longitude"),
    ],
)
def test_broken_files_are_refused_with_line_and_columns(old, new, message):
    with pytest.raises(FormatError, match=message):
        parse_sinex(change(old, new), InputFile("x.snx", ""))


def test_a_file_cut_off_anywhere_is_refused_or_whole():
    """Cut after any line: either an error, or all estimates are there and a remark tells."""
    lines = render_sinex(station_sinex(solution())).splitlines(keepends=True)
    whole = 0
    for end in range(1, len(lines)):
        try:
            document = parse_sinex(b"".join(lines[:end]), InputFile("cut.snx", ""))
        except FormatError:
            continue
        assert len(document.estimates) == 3
        assert "without %ENDSNX" in document.remarks[0]
        whole += 1
    assert whole == 3  # after the estimates, after the rule below them, after the matrix


def test_correlations_and_information_become_a_covariance():
    document = station_sinex(solution())
    sigma = np.array([p.sigma for p in document.estimates])
    for kind, matrix in (
        ("CORR", document.covariance / np.outer(sigma, sigma)),
        ("INFO", np.linalg.inv(document.covariance)),
    ):
        text = render_sinex(dataclasses.replace(document, covariance=matrix)).decode().replace("COVA", kind)
        found = parse_sinex(text.encode(), InputFile("x.snx", "")).covariance
        np.testing.assert_allclose(found, document.covariance, rtol=2e-5, atol=1e-10)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 200, b"not a sinex\n"])
def test_files_that_are_none(tmp_path, content):
    path = tmp_path / "x.snx"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.snx"):
        read_sinex(path)


def test_what_does_not_fit_or_is_not_finite_is_not_written(tmp_path):
    document = station_sinex(solution())
    wide = dataclasses.replace(document, header=dataclasses.replace(document.header, file_agency="JIZHUN"))
    bad = dataclasses.replace(
        document,
        estimates=(dataclasses.replace(document.estimates[0], value=np.nan), *document.estimates[1:]),
    )
    for broken, message in ((wide, "does not fit"), (bad, "not finite")):
        with pytest.raises(InputError, match=message):
            write_sinex(broken, tmp_path / "x.snx")
    assert list(tmp_path.iterdir()) == []


@given(st.integers(0, 2**32 - 1))
def test_damaged_bytes_give_a_document_or_one_clear_error(seed):
    """Characters changed, cut out or put in: never another error than FormatError."""
    rng = np.random.default_rng(seed)
    data = bytearray(render_sinex(station_sinex(solution())))
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(len(data)))
        kind = rng.integers(3)
        if kind == 0:
            data[place] = int(rng.choice(list(b" 0123456789.-+:eE*%ABZ\n\xff")))
        elif kind == 1:
            del data[place : place + int(rng.integers(1, 40))]
        else:
            data[place:place] = bytes(rng.choice(list(b" 01\n+-"), int(rng.integers(1, 10))).tolist())
    try:
        document = parse_sinex(bytes(data), InputFile("damaged.snx", ""))
    except FormatError:
        return
    assert all(np.isfinite([p.value, p.sigma]).all() for p in document.estimates)


DISCONTINUITIES = "geodesy/dynadjust/disconts20201205.snx"


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", [DISCONTINUITIES, "parsers/gognss/soln.snx.gz", "parsers/midgard/sinex_discontinuities"]
)
def test_discontinuities_of_real_lists(real_data, name):
    """All lines of the block are there, and their texts and times, with and without a header."""
    path = real_data / name
    data = path.read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("latin-1")
    lines = [line for line in text.splitlines() if re.match(r" .{41}[PV] -", line)]
    found = read_discontinuities(path)
    assert len(found) == len(lines) > 20
    for line, record in zip(lines, found, strict=True):
        assert (record.code, record.point, record.solution) == (
            line[1:5].strip(),
            line[6:8].strip(),
            line[9:13].strip(),
        )
        assert record.quantity == line[42]
        assert record.remark == line[46:].strip()
        assert (record.start is None) == (line[16:28] == "00:000:00000")


@pytest.mark.real_data
def test_discontinuities_of_ajaccio(real_data):
    ajac = [
        d for d in read_discontinuities(real_data / DISCONTINUITIES) if d.code == "AJAC" and d.quantity == "P"
    ]
    assert [d.solution for d in ajac] == ["1", "2", "3", "4"]
    assert ajac[1].start is not None
    assert ajac[1].end is not None
    assert ajac[1].start.iso() == "2008-11-26T00:00:00"  # day 331 of 2008
    assert ajac[1].end.iso() == "2012-12-05T09:00:00"  # day 340 of 2012, second 32400
    assert ajac[3].end is None


def normal_equations_document():
    rng = np.random.default_rng(4)
    document = document_with(3)
    design = rng.normal(size=(12, 3))
    parameters = tuple(dataclasses.replace(p, sigma=0.0) for p in document.estimates)
    matrix = design.T @ design
    rounded = np.array([[float(format_value(v)) for v in row] for row in matrix])
    return dataclasses.replace(
        document,
        normal_equations=SinexNormalEquations(parameters, np.array([p.value for p in parameters]), rounded),
        discontinuities=(
            SinexDiscontinuity("WUHN", "A", "1", "P", None, document.header.created, "P", "antenna change"),
        ),
    )


def document_with(n):
    epoch = Epochs.from_datetime64("2024-02-04T12:00:00")
    estimates = tuple(
        SinexParameter(i + 1, f"STA{'XYZ'[i]}", "WUHN", "A", "1", epoch, "m", "2", -2267750.0 + i, 0.001)
        for i in range(n)
    )
    header = SinexHeader("2.02", "JZH", epoch, "JZH", epoch, epoch, "P", n, "2", ("S",))
    covariance = np.diag(np.full(n, 1e-6))
    return SinexDocument(
        header,
        (),
        (),
        (),
        (),
        (),
        (),
        (),
        (),
        estimates,
        estimates,
        covariance,
        apriori_covariance=4 * covariance,
    )


def test_normal_equations_and_discontinuities_survive_writing(tmp_path):
    document = normal_equations_document()
    path = tmp_path / "a.snx"
    write_sinex(document, path)
    again = read_sinex(path)
    assert again.blocks_left_out == ()
    assert again.normal_equations is not None
    assert document.normal_equations is not None
    np.testing.assert_array_equal(again.normal_equations.matrix, document.normal_equations.matrix)
    np.testing.assert_array_equal(again.normal_equations.right_side, document.normal_equations.right_side)
    np.testing.assert_array_equal(again.apriori_covariance, document.apriori_covariance)
    (jump,) = again.discontinuities
    assert (jump.code, jump.start, jump.remark) == ("WUHN", None, "antenna change")
    stored = path.read_bytes()
    write_sinex(again, path)
    assert path.read_bytes() == stored


@pytest.mark.real_data
def test_normal_equations_of_a_real_file(real_data, tmp_path):
    """An extract of a Norwegian solution, nine of 849 parameters; with its header put right it is read.

    The first elements in the file: b1 = 0.612553652973857E-04, N11 = 0.10635130450249E+02.
    The description "NMBU Ås" is in UTF-8, whose second byte is no line end.
    """
    text = gzip.decompress((real_data / "parsers" / "midgard" / "sinex_site.gz").read_bytes()).decode(
        "latin-1"
    )
    with pytest.raises(FormatError, match="the header tells of 849 estimates, and there are 9"):
        read_sinex(real_data / "parsers" / "midgard" / "sinex_site.gz")
    path = tmp_path / "extract.snx"
    path.write_text(text.replace("P 00849", "P 00009"), encoding="latin-1")
    equations = read_sinex(path).normal_equations
    assert equations is not None
    assert equations.matrix is not None
    assert equations.right_side[0] == 0.612553652973857e-04
    assert equations.matrix[0, 0] == 0.10635130450249e02
    assert equations.matrix[2, 1] == equations.matrix[1, 2] == -0.63636274525871


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("+SOLUTION/NORMAL_EQUATION_MATRIX L", "+SOLUTION/NORMAL_EQUATION_MATRIX X", "closes no open block"),
        (" P - antenna", " Q - antenna", "quantity"),
        (
            "     2 STAY   WUHN  A    1 24:035:43200 m    2 -2.26774",
            "     7 STAY   WUHN  A    1 24:035:43200 m    2 -2.26774",
            "expected parameter index 2",
        ),
    ],
)
def test_defects_of_the_new_blocks_are_named(tmp_path, old, new, words):
    path = tmp_path / "a.snx"
    write_sinex(normal_equations_document(), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_sinex(path)


def test_a_list_without_discontinuities_is_refused(tmp_path):
    path = tmp_path / "a.snx"
    path.write_text("+SITE/ID\n-SITE/ID\n")
    with pytest.raises(FormatError, match="no line in a block SOLUTION/DISCONTINUITY"):
        read_discontinuities(path)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["igs18P19821_all_CoordOnly.snx.gz", "igs22P2223.ssc.gz"])
def test_phase_centres_are_written_as_the_igs_writes_them(real_data, name):
    path = real_data / "truth" / name
    document = read_sinex(path)
    block = re.compile(r"^\+SITE/GPS_PHASE_CENTER\n(.*?)^-SITE/GPS_PHASE_CENTER$", re.DOTALL | re.MULTILINE)
    theirs, ours = (
        block.search(text)[1].splitlines()
        for text in (gzip.decompress(path.read_bytes()).decode("latin-1"), render_sinex(document).decode())
    )
    assert len(document.phase_centres) == len(theirs) - 1 > 60
    assert ours[0] == theirs[0]
    assert [line.rstrip() for line in ours[1:]] == [line.rstrip() for line in theirs[1:]]


def test_phase_centres_turn_from_north_east_up_to_up_north_east():
    frequencies = {
        code: AntennaFrequencyCalibration(np.array(offset), np.zeros(2), None)
        for code, offset in (("G01", (0.0004, 0.0001, 0.1617)), ("G02", (0.0001, -0.0007, 0.1579)))
    }
    antenna = AntennaCalibration(
        "LEIAR25.R3      LEIT", "", "", "", None, None, np.array([0.0, 1.5]), None, frequencies, "IGS14_1984"
    )
    setup = StationSetup("", "", "", AntennaType("LEIAR25.R3", "LEIT", "10020031"), (0.0, 0.0, 0.0))
    (found,) = phase_centres([setup, setup], [antenna])
    assert found == SinexPhaseCentre(  # the line of igs18P19821.snx
        "LEIAR25.R3      LEIT", "-----", (0.1617, 0.0004, 0.0001), (0.1579, 0.0001, -0.0007), "IGS14_1984"
    )
    assert (
        phase_centres([setup], [dataclasses.replace(antenna, frequencies={"G01": frequencies["G01"]})]) == ()
    )
