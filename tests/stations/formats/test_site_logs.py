"""Site logs of both versions and GeodesyML: real files, one against the other, writing, broken files."""

import dataclasses
import gzip
import json

import numpy as np
import pytest

from stations.formats.geodesyml import read_geodesyml, write_geodesyml
from stations.formats.site_log import read_site_log
from stations.formats.site_log_records import SiteLog
from stations.formats.site_log_writing import write_site_log
from stations.records import InputFile
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

FOLDER = "parsers/sitelog_geodesyml"
# Positions in logs are approximate and written to a hundredth of a second of arc, 0.3 m.
ARC_SECOND_HUNDREDTH_DEG = 0.01 / 3600


def moment(text):
    return Epochs.from_datetime64(np.datetime64(text), TimeScale.UTC)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "code", "version", "counts", "domes"),
    [  # counts: grep -cE '^3\.[0-9]+ ', '^4\.[0-9]+ ' and '^5\.[0-9]+ '
        ("WTZR00DEU_20200602", "WTZR00DEU", "1.0", (46, 4, 10), "14201M010"),
        ("brst_20200511", "BRST", "1.0", (25, 6, 0), "10004M004"),
        ("brux_20200225", "BRUX00BEL", "1.0", (14, 9, 3), "13101M010"),
        ("houz00glp_20250106", "HOUZ00GLP", "2.0", (11, 5, 0), "97102M001"),
        ("pots_20210215", "POTS", "1.0", (25, 7, 2), "14106M003"),
        ("tlse_20200518", "TLSE", "1.0", (25, 9, 0), "10003M009"),
    ],
)
def test_real_logs_are_what_grep_finds(real_data, tmp_path, name, code, version, counts, domes):
    log = read_site_log(real_data / FOLDER / f"{name}.log.gz")
    assert (log.name, log.version, log.domes) == (code, version, domes)
    assert (len(log.receivers), len(log.antennas), len(log.local_ties)) == counts
    write_geodesyml(log, tmp_path / "a.xml.gz")
    again = read_geodesyml(tmp_path / "a.xml.gz")
    assert same_equipment(again, log)


def same_equipment(one: SiteLog, other: SiteLog) -> bool:
    def plain(log):
        return [
            [_times(dataclasses.asdict(item)) for item in items]
            for items in (log.receivers, log.antennas, log.local_ties)
        ]

    def _times(fields):
        return {
            key: int(value["tai_ns"]) if isinstance(value, dict) and "tai_ns" in value else value
            for key, value in fields.items()
        }

    return plain(one) == plain(other)


@pytest.mark.real_data
def test_potsdam_in_words(real_data):
    """Values as they stand in the log of 2021-02-15."""
    log = read_site_log(real_data / FOLDER / "pots_20210215.log.gz")
    assert log.position_ecef_m == (3800689.6341, 882077.3857, 5028791.3179)
    assert log.latitude_deg == pytest.approx(52 + 22 / 60 + 45.47 / 3600, abs=1e-12)
    assert log.longitude_deg == pytest.approx(13 + 3 / 60 + 57.93 / 3600, abs=1e-12)
    assert log.height_m == 144.4
    receiver = log.receiver_at(moment("2018-08-01T00:00"))
    assert receiver is not None
    assert (receiver.section, receiver.kind, receiver.serial, receiver.firmware) == (
        "3.15",
        "JAVAD TRE_3",
        "4171773",
        "3.7.3P1",
    )
    assert receiver.satellite_systems == ("GPS", "GLO", "GAL", "BDS", "QZSS", "IRNSS", "SBAS")
    assert receiver.notes == "tinyPC/4 S/N 006\nBoard revision TRE_3_4"
    assert log.receiver_at(moment("2018-07-17T09:45")) is None  # between removal and installation
    setup = log.setup_at(moment("1995-01-01"))
    assert setup.antenna.igs_code == "AOAD/M_T        NONE"
    assert setup.eccentricity_enu_m == (0.0, 0.0, 0.0460)
    slr = log.local_ties[0]
    assert (slr.domes, slr.offset_ecef_m, slr.accuracy_m) == ("14106S009", (-50.091, -95.219, 40.438), 0.01)
    with pytest.raises(InputError, match="no receiver at"):
        log.setup_at(moment("1990-01-01"))


@pytest.mark.real_data
def test_slips_of_real_logs_are_told(real_data):
    log = read_site_log(real_data / FOLDER / "brux_20200225.log.gz")
    assert log.remarks == (
        "section 3.11: the receiver is not removed, and another follows",
        "section 4.3: the antenna has no date of installation",
    )


@pytest.mark.real_data
def test_geodesyml_and_log_of_one_station_agree(real_data):
    xml = read_geodesyml(real_data / FOLDER / "HOUZ00GLP.xml.gz")
    log = read_site_log(real_data / FOLDER / "houz00glp_20250106.log.gz")
    assert xml.name == log.name == "HOUZ00GLP"
    assert xml.version == "GeodesyML 0.4"
    for one, other in zip(xml.receivers, log.receivers, strict=True):
        assert (one.kind, one.serial, one.firmware) == (other.kind, other.serial, other.firmware)
        assert one.installed is not None
        assert other.installed is not None
        assert int(one.installed.tai_ns) == int(other.installed.tai_ns)
    for one, other in zip(xml.antennas, log.antennas, strict=True):
        assert one.antenna == other.antenna
        assert one.eccentricity_enu_m == other.eccentricity_enu_m
    np.testing.assert_allclose(xml.position_ecef_m, log.position_ecef_m, atol=0.001)
    assert xml.latitude_deg == pytest.approx(log.latitude_deg, abs=ARC_SECOND_HUNDREDTH_DEG)


@pytest.mark.real_data
def test_geodesyml_of_geoscience_australia(real_data, tmp_path):
    """The XML inside ALIC.json, an answer of an eGeodesy server; the JSON itself is refused."""
    stored = real_data / FOLDER / "ALIC.json.gz"
    with pytest.raises(FormatError, match="line 1: no well-formed XML"):
        read_geodesyml(stored)
    text = json.loads(gzip.decompress(stored.read_bytes()))["siteLogText"]
    path = tmp_path / "ALIC.xml"
    path.write_text(text, encoding="utf-8")
    log = read_geodesyml(path)
    assert (log.name, log.domes, len(log.receivers)) == (
        "ALIC",
        "50137M001",
        text.count("<geo:GnssReceiver>"),
    )
    assert log.position_ecef_m == (-4052051.767, 4212836.215, -2545106.027)
    assert log.antennas[2].eccentricity_enu_m == (0.0, 0.0, 0.0015)
    assert log.local_ties[0].offset_ecef_m == (-15.366, -9.632, 9.099)


@pytest.mark.real_data
def test_a_written_log_of_version_2_is_read_again(real_data, tmp_path):
    for name in ("houz00glp_20250106", "WTZR00DEU_20200602", "brux_20200225"):
        log = read_site_log(real_data / FOLDER / f"{name}.log.gz")
        path = tmp_path / f"{name}.log"
        write_site_log(log, path)
        again = read_site_log(path)
        assert same_equipment(again, log)
        assert again.version == "2.0"
        assert (again.name, again.domes, again.site_name) == (log.name, log.domes, log.site_name)
        np.testing.assert_allclose(again.position_ecef_m, log.position_ecef_m, atol=5e-5)
        assert again.latitude_deg == pytest.approx(log.latitude_deg, abs=1e-9)
        stored = path.read_bytes()
        write_site_log(again, path)
        assert path.read_bytes() == stored


def test_a_four_character_log_is_not_written_as_version_2(small_log, tmp_path):
    log = dataclasses.replace(read_site_log(small_log), name="WUHN")
    with pytest.raises(InputError, match="nine-character name"):
        write_site_log(log, tmp_path / "a.log")


SMALL = """     WUH200CHN Site Information Form (site log v2.0)

0.   Form

     Date Prepared            : 2024-02-04

1.   Site Identification of the GNSS Monument

     Site Name                : Wuhan : the second
     Nine Character ID        : WUH200CHN
     IERS DOMES Number        : 21602M007
     Date Installed           : (CCYY-MM-DDThh:mmZ)

2.   Site Location Information

     X coordinate (m)       : -2267750.0
     Y coordinate (m)       : 5009154.0
     Z coordinate (m)       : 3221294.0
     Latitude (N is +)      : +303153.90
     Longitude (E is +)     : +1142126.10
     Elevation (m,ellips.)  : 28.2

3.   GNSS Receiver Information

3.1  Receiver Type            : JAVAD TRE_3
     Satellite System         : GPS+GLO+GAL+BDS
     Serial Number            : 02093
     Firmware Version         : 3.7.9
     Date Installed           : 2019-01-01T00:00Z
     Date Removed             : CCYY-MM-DDThh:mmZ

4.   GNSS Antenna Information

4.1  Antenna Type             : JAVRINGANT_DM   JVDM
     Serial Number            : 00999
     Marker->ARP Up Ecc. (m)  : 0.1206
     Marker->ARP North Ecc(m) : 0.0010
     Marker->ARP East Ecc(m)  : -0.0020
     Date Installed           : 2019-01-01T00:00Z
     Date Removed             :

13.  More Information
"""


@pytest.fixture
def small_log(tmp_path):
    path = tmp_path / "small.log"
    path.write_text(SMALL)
    return path


def test_a_small_log(small_log):
    log = read_site_log(small_log)
    assert log.site_name == "Wuhan : the second"
    assert log.antennas[0].eccentricity_enu_m == (-0.002, 0.001, 0.1206)  # east, north, up
    assert log.antennas[0].antenna.radome == "JVDM"
    assert log.installed is None
    assert log.remarks == ()
    assert log.inputs == (InputFile(str(small_log), log.inputs[0].sha256),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "Site Information Form (site log v2.0)",
            "Something else",
            "line 1: expected 'Site Information Form",
        ),
        ("WUH200CHN\n     IERS", "WUH2\n     IERS", ""),  # a short name in the field of a long one
        ("WUH200CHN\n     IERS", "W?\n     IERS", "line 10: expected a four- or nine-character ID"),
        ("0.1206", "12o6", ""),  # begins with a number, and 12 m of mast are possible
        ("0.1206", "high", "expected a number, found 'high'"),
        ("0.1206", "1206", "out of range"),
        (
            "2019-01-01T00:00Z\n     Date Removed             : CC",
            "2019-13-01T00:00Z\n     Date Removed             : CC",
            "no such day",
        ),
        (
            "2019-01-01T00:00Z\n     Date Removed             : CC",
            "January\n     Date Removed             : CC",
            "expected a date",
        ),
        ("+303153.90", "30.53", "degrees, minutes, seconds run together"),
        ("-2267750.0", "x", "expected a number"),
        ("4.1  Antenna Type", "     Antenna Type", "no receiver or no antenna"),
    ],
)
def test_defects_of_logs_are_named(small_log, old, new, words):
    assert old in SMALL
    small_log.write_text(SMALL.replace(old, new, 1))
    if not words:
        read_site_log(small_log)
        return
    with pytest.raises(FormatError, match=words):
        read_site_log(small_log)


def test_latin_1_and_dos_line_ends(small_log):
    text = SMALL.replace("Wuhan : the second", "Logroño").replace("\n", "\r\n")
    for encoding in ("latin-1", "utf-8"):
        small_log.write_bytes(text.encode(encoding))
        assert read_site_log(small_log).site_name == "Logroño"


def test_a_log_cut_anywhere_is_refused_or_says_so(small_log):
    data = SMALL.encode()
    for stop in range(1, len(data) - 25, 13):
        small_log.write_bytes(data[:stop])
        try:
            log = read_site_log(small_log)
        except FormatError:
            continue
        assert log.remarks  # "the log ends with section 4, not 13"


@pytest.fixture
def small_xml(small_log, tmp_path):
    path = tmp_path / "small.xml"
    write_geodesyml(read_site_log(small_log), path)
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "<geo:GeodesyML",
            '<!DOCTYPE a [<!ENTITY b "c">]>\n<geo:GeodesyML',
            "line 2: a document type or entity",
        ),
        ('encoding="UTF-8"', 'encoding="cp037"', "line 1: encoding 'cp037'"),
        ("</geo:siteLog>", "", "no well-formed XML"),
        ("egeodesy", "other", "expected the root element GeodesyML"),
        (
            "<geo:marker-arpUpEcc.>0.1206",
            "<geo:marker-arpUpEcc.>tall",
            r"gnssAntenna\[1\]/marker-arpUpEcc.: expected",
        ),
        ("2019-01-01T00:00:00Z", "yesterday", "expected a date"),
        ("<geo:siteName>Wuhan", "<geo:siteName>&unknown;", "no well-formed XML"),
        ("3221294.0</gml:pos>", "</gml:pos>", "expected 3 numbers"),
    ],
)
def test_defects_of_geodesyml_are_named(small_xml, old, new, words):
    text = small_xml.read_text()
    assert old in text
    small_xml.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_geodesyml(small_xml)


def test_geodesyml_cut_anywhere_is_refused(small_xml):
    data = small_xml.read_bytes()
    for stop in range(1, len(data) - 20, 37):
        small_xml.write_bytes(data[:stop])
        with pytest.raises(FormatError):
            read_geodesyml(small_xml)


def test_a_deleted_entry_is_left_out_and_told(small_xml):
    text = small_xml.read_text()
    one = text[text.index("    <geo:gnssReceiver>") : text.index("</geo:gnssReceiver>") + 19]
    other = one.replace(
        "      </geo:GnssReceiver>", "      </geo:GnssReceiver><geo:dateDeleted>2020-01-01</geo:dateDeleted>"
    )
    small_xml.write_text(text.replace(one, other + "\n" + one))
    log = read_geodesyml(small_xml)
    assert len(log.receivers) == 1
    assert log.remarks == ("siteLog/gnssReceiver[1] was deleted on 2020-01-01 and is left out",)
