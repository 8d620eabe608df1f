"""Networks and daily solutions through SINEX, and the real daily SINEX with its wrong station."""

import dataclasses

import numpy as np
import pytest

from datum.network.combine import combine_solutions
from datum.network.sinex_exchange import network_sinex, sinex_to_solutions
from datum.records import ControlStation
from stations.formats.sinex import parse_sinex, read_sinex, render_sinex, station_names, station_sinex
from stations.records import AntennaCalibration, AntennaFrequencyCalibration, InputFile
from transforms.covariance import for_publication
from transforms.errors import InputError

WRITTEN_DIGITS_M = 1e-8  # SINEX: 15 digits of six million metres
PUBLISHED_M = 0.51e-6  # a network's positions are rounded to the micrometre
# JFNG of the IGS's daily SINEX of 2024-035 lies 0.4 m too high, as its other solutions show.
JFNG_HEIGHT_ERROR_M, JFNG_TOLERANCE_M = 0.4, 0.05
# Stations of both solutions with a velocity, away from Japan, whose stations still creep after 2011.
EAST_ASIA = ("BADG", "BJFS", "DAEJ", "HKSL", "JFNG", "PIMO", "TWTF", "ULAB")


@pytest.fixture
def moved_network(network):
    name = network.names[2]
    solutions = network.simulate(np.random.default_rng(21), errors={(name, 1): (0.004, -0.003, 0.085)})
    return combine_solutions(solutions, network.control(network.names[:2]))


def test_a_network_reads_back_from_its_sinex(moved_network):
    document = parse_sinex(render_sinex(network_sinex(moved_network)), InputFile("n.snx", ""))
    assert len(document.estimates) == 3 * 9
    values = np.array([p.value for p in document.estimates]).reshape(-1, 3)
    for station, value in zip(moved_network.stations, values, strict=True):
        np.testing.assert_allclose(value, station.position_ecef_m, rtol=0, atol=PUBLISHED_M)
    # Published numbers are rounded so that every processor writes the same bytes: nine digits of the largest.
    published = for_publication(moved_network.covariance_m2)
    np.testing.assert_allclose(document.covariance, published, rtol=1e-13)
    largest = float(np.max(np.abs(moved_network.covariance_m2)))
    np.testing.assert_allclose(document.covariance, moved_network.covariance_m2, rtol=0, atol=1e-8 * largest)
    parted = [(e.code, e.solution) for e in document.epochs if e.code == "JINS"]
    assert parted == [("JINS", "1"), ("JINS", "2")]
    assert dict(document.statistics)["VARIANCE FACTOR"] == float(
        for_publication(moved_network.variance_factor)
    )
    text = " ".join(document.comments)
    assert "REFERENCE FRAME IGS20" in text
    assert "no net translation on HANG00CHN, HEFE00CHN" in text
    assert "station JINS00CHN moved by" in text
    assert render_sinex(document) == render_sinex(network_sinex(moved_network))


def test_the_product_has_the_blocks_of_the_igs_in_their_order(moved_network):
    """What the SINEX combinations of the IGS have, and programs that take them look for."""
    antenna = AntennaCalibration(
        moved_network.stations[0].setup.antenna.igs_code, "", "", "", None, None, np.array([0.0, 1.5]), None,
        {
            code: AntennaFrequencyCalibration(np.array([0.001, 0.002, 0.1]), np.zeros(2), None)
            for code in ("G01", "G02")
        },
        "IGS20_2385",
    )  # fmt: skip
    text = render_sinex(network_sinex(moved_network, antennas=[antenna])).decode()
    lines = text.splitlines()
    assert [line[1:].split()[0] for line in lines if line.startswith("+")] == [
        "FILE/REFERENCE", "FILE/COMMENT", "SITE/ID", "SITE/RECEIVER", "SITE/ANTENNA",
        "SITE/GPS_PHASE_CENTER", "SITE/ECCENTRICITY", "SOLUTION/EPOCHS", "SOLUTION/STATISTICS",
        "SOLUTION/APRIORI", "SOLUTION/ESTIMATE", "SOLUTION/MATRIX_ESTIMATE",
    ]  # fmt: skip
    assert all(len(line) <= 80 and line.isascii() for line in lines)
    document = parse_sinex(text.encode(), InputFile("n.snx", ""))
    assert document.blocks_left_out == ()
    assert [p.model for p in document.phase_centres] == ["IGS20_2385"]
    # Each estimate has its a priori value: same number, kind, site, epoch; the IGS's unconstrained "2" and 0.
    assert len(document.apriori) == len(document.estimates) == document.header.n_parameters
    for before, after in zip(document.apriori, document.estimates, strict=True):
        same = ("index", "kind", "code", "point", "solution", "epoch", "unit", "constraint")
        assert all(getattr(before, name) == getattr(after, name) for name in same)
        assert (before.constraint, before.sigma) == ("2", 0.0)
        assert abs(after.value - before.value) < 0.2
    assert {p.value for p in document.apriori} != {p.value for p in document.estimates}
    # Every site of an estimate is told of in each block on sites; antennas have their phase centres.
    sites = {(p.code, p.point) for p in document.estimates}
    for name in ("sites", "receivers", "antennas", "eccentricities", "epochs"):
        assert {(item.code, item.point) for item in getattr(document, name)} == sites
    assert {a.antenna for a in document.antennas} == {p.antenna for p in document.phase_centres}


def test_stations_whose_codes_are_alike_keep_their_names(network):
    solutions = [
        dataclasses.replace(s, station=s.station.replace("NING00CHN", "NANJ01CHN"))
        for s in network.simulate(np.random.default_rng(1))
    ]
    result = combine_solutions(solutions, network.control(network.names[:2]))
    document = parse_sinex(render_sinex(network_sinex(result)), InputFile("n.snx", ""))
    names = station_names(document)
    assert (names["NANJ", "A"], names["NANJ", "B"]) == ("NANJ00CHN", "NANJ01CHN")


def test_daily_files_give_the_network_that_the_solutions_give(network):
    solutions = network.simulate(np.random.default_rng(2))
    control = network.control(network.names[:3])
    through_files = []
    for solution in solutions:
        document = parse_sinex(render_sinex(station_sinex(solution)), InputFile("d.snx", ""))
        through_files.extend(sinex_to_solutions(document))
    for mine, theirs in zip(through_files, solutions, strict=True):
        assert mine.station == theirs.station
        assert mine.setup == theirs.setup
        assert mine.epoch.iso() == theirs.epoch.iso()
        np.testing.assert_allclose(mine.covariance_m2, theirs.covariance_m2, rtol=1e-13)
    one, two = combine_solutions(solutions, control), combine_solutions(through_files, control)
    for a, b in zip(one.stations, two.stations, strict=True):
        np.testing.assert_allclose(a.position_ecef_m, b.position_ecef_m, rtol=0, atol=3 * WRITTEN_DIGITS_M)


def test_a_file_must_say_what_it_holds(network):
    document = station_sinex(network.simulate(np.random.default_rng(2))[0])
    silent = dataclasses.replace(document, comments=())
    with pytest.raises(InputError, match="does not name its reference frame"):
        sinex_to_solutions(silent)
    assert sinex_to_solutions(silent, frame="IGb14")[0].frame == "IGb14"
    with pytest.raises(InputError, match="lacks one of"):
        sinex_to_solutions(dataclasses.replace(document, estimates=document.estimates[:2]))
    with pytest.raises(InputError, match="no station positions"):
        sinex_to_solutions(dataclasses.replace(document, estimates=()))
    with pytest.raises(InputError, match="stands twice"):
        sinex_to_solutions(dataclasses.replace(document, estimates=document.estimates * 2))


@pytest.mark.real_data
def test_jfng_of_the_real_daily_sinex_is_found_wrong(real_data):
    """IGS's daily solution of 2024-035 in East Asia; control: weekly one of 2020, velocities of 1994-2017."""
    folder = real_data / "truth"
    daily = sinex_to_solutions(
        read_sinex(folder / "IGS0OPSSNX_20240350000_01D_01D_CRD.SNX.gz"), frame="IGS20"
    )
    weekly = sinex_to_solutions(read_sinex(folder / "igs20P2131_wocov.snx.gz"), frame="IGb14")
    velocity = {}
    for p in read_sinex(folder / "igs17P49_CoordOnly.snx.gz").estimates:
        if p.kind.startswith("VEL") and p.code in EAST_ASIA:
            velocity.setdefault(p.code, {})[p.kind] = p.value
    control = [
        ControlStation(
            s.station,
            s.frame,
            s.epoch,
            s.position_ecef_m,
            np.array([velocity[s.station][kind] for kind in ("VELX", "VELY", "VELZ")]),
            (0.003, 0.003, 0.006),
        )
        for s in weekly
        if s.station in EAST_ASIA
    ]
    result = combine_solutions([s for s in daily if s.station in EAST_ASIA], control)
    (rejection,) = result.rejections
    assert rejection.subject == "control station JFNG"
    height_m = float(rejection.reason.split(" U ")[1].split(" mm")[0]) / 1e3
    assert height_m == pytest.approx(JFNG_HEIGHT_ERROR_M, abs=JFNG_TOLERANCE_M)
    assert result.constraints == "no net translation on BADG, BJFS, DAEJ, HKSL, PIMO, TWTF, ULAB"
