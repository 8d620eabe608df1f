"""The arrows between frames: against the published tables, EPSG's registry, and their own algebra."""

import tomllib
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import FrameError, InputError
from transforms.frame_links import describe_path, find_path, published_links, transform_coordinates
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

AUTHORITY = tomllib.loads(
    (Path(__file__).parent.parent / "authorities" / "itrf_transformations.toml").read_text(encoding="utf-8")
)
ITRFS = tuple(AUTHORITY["epsg"])
# The tables are rounded to 0.1 mm, 0.01 ppb (0.06 mm) and 0.01 mas (0.3 mm), rates likewise per year: two
# ways over up to three rounded tables, 15 years from their epochs, may differ by this much.
TOLERANCE_OF_ROUNDED_TABLES_M = 0.004
SAME_NUMBERS_M = 1e-6  # the same parameters in another program's arithmetic
SHAO_TOLERANCE_M = 0.0001  # as the authority is written

frames = st.sampled_from(ITRFS)
years = st.floats(1994.0, 2040.0)


def year(value: float) -> Epochs:
    return Epochs.from_decimal_year(value)


@st.composite
def points(draw: st.DrawFn) -> np.ndarray:
    latitude = draw(st.floats(-1.5, 1.5))
    longitude = draw(st.floats(-3.1, 3.1))
    return ecef_from_geodetic(latitude, longitude, draw(st.floats(-100.0, 8000.0)))


@pytest.mark.parametrize("table", AUTHORITY["table"], ids=lambda t: t["source"])
def test_every_published_row_is_held_to_the_digit(table):
    held = {(link.source, link.target): link for link in published_links()}
    for target, (values, rates) in table["rows"].items():
        link = held[table["source"], target]
        assert link.reference_epoch_year == table["epoch_year"]
        np.testing.assert_allclose(
            [*np.multiply(link.translation_m, 1e3), link.scale_ppb, *link.rotation_mas], values, atol=1e-12
        )
        np.testing.assert_allclose(
            [
                *np.multiply(link.translation_rate_m_per_yr, 1e3),
                link.scale_rate_ppb_per_yr,
                *link.rotation_rate_mas_per_yr,
            ],
            rates,
            atol=1e-12,
        )


@pytest.mark.parametrize("row", AUTHORITY["sigma"], ids=lambda r: f"{r['source']} to {r['target']}")
def test_published_standard_deviations_are_held(row):
    (step,) = find_path(row["source"], row["target"])
    in_table_units = step.helmert.sigmas * np.array(([1e3] * 3 + [1.0] * 4) * 2)
    np.testing.assert_allclose(in_table_units, row["values"] * 2, atol=1e-12)


def test_an_old_frame_is_no_better_known_than_the_steps_to_it():
    sigmas = [find_path("ITRF2020", target)[0].helmert.sigmas for target in ITRFS[1:]]
    for newer, older in pairwise(sigmas):
        assert np.all(older >= newer)


TABULATED_PAIRS = [
    (source, target)
    for source, target in permutations(ITRFS, 2)
    if any({link.source, link.target} == {source, target} for link in published_links())
]


@pytest.mark.parametrize(("source", "target"), TABULATED_PAIRS)
def test_positions_agree_with_the_epsg_registry(source, target):
    shao = AUTHORITY["shao"]["igb14_2010_ecef_m"]
    epsg = AUTHORITY["epsg"]
    group = pyproj.transformer.TransformerGroup(epsg[source], epsg[target], allow_ballpark=False)
    one_step = [
        t for t in group.transformers if "+step" not in t.definition or t.definition.count("helmert") == 1
    ]
    x, y, z, _ = one_step[0].transform(*shao, 2007.5)
    ours = transform_coordinates(shao, np.zeros((3, 3)), None, source, year(2007.5), target, year(2007.5))
    np.testing.assert_allclose(ours.position_ecef_m, [x, y, z], atol=SAME_NUMBERS_M)


def test_shao_in_cgcs2000():
    shao = AUTHORITY["shao"]
    result = transform_coordinates(
        shao["igb14_2010_ecef_m"],
        np.diag([1e-6] * 3),
        shao["velocity_m_per_yr"],
        "IGb14",
        year(2010.0),
        "CGCS2000",
        year(2000.0),
    )
    np.testing.assert_allclose(result.position_ecef_m, shao["cgcs2000_ecef_m"], atol=SHAO_TOLERANCE_M)
    # 10 to 13 years from the tables' epochs, rates known to 0.2 mm/yr and 0.006 mas/yr: some millimetres.
    assert np.all(np.sqrt(np.diag(result.covariance_m2)) > 0.002)
    assert np.all(np.sqrt(np.diag(result.covariance_m2)) < 0.010)


def test_the_scale_of_itrf2014_to_itrf97_is_there():
    """Debian's PROJ lost it: 3.8 ppb are 24 mm in height."""
    (step,) = find_path("ITRF2014", "ITRF97")
    assert step.helmert.scale_ppb == 3.80


@given(points(), frames, frames, years)
def test_there_and_back_is_the_same_point(point, source, target, at):
    velocity = np.array([-0.03, -0.01, 0.02])
    there = transform_coordinates(
        point, np.eye(3) * 1e-6, velocity, source, year(at), target, year(at + 3.25)
    )
    back = transform_coordinates(
        there.position_ecef_m,
        there.covariance_m2,
        there.velocity_m_per_yr,
        target,
        year(at + 3.25),
        source,
        year(at),
    )
    np.testing.assert_allclose(back.position_ecef_m, point, atol=2e-7)
    np.testing.assert_allclose(back.velocity_m_per_yr, velocity, atol=1e-12)


@given(points(), years, st.permutations(ITRFS))
def test_ways_over_other_frames_agree_to_the_tables_rounding(point, at, order):
    source, via, target = order[:3]
    at = 2000.0 + (at - 1994.0) / 3.0
    zero = np.zeros((3, 3))
    direct = transform_coordinates(point, zero, None, source, year(at), target, year(at)).position_ecef_m
    half = transform_coordinates(point, zero, None, source, year(at), via, year(at)).position_ecef_m
    other = transform_coordinates(half, zero, None, via, year(at), target, year(at)).position_ecef_m
    np.testing.assert_allclose(direct, other, atol=TOLERANCE_OF_ROUNDED_TABLES_M)


def test_many_points_are_the_points_one_by_one():
    rng = np.random.default_rng(3)
    n = 40
    positions = ecef_from_geodetic(rng.uniform(-1.4, 1.4, n), rng.uniform(-3, 3, n), rng.uniform(0, 3000, n))
    velocities = rng.normal(0.0, 0.03, (n, 3))
    root = rng.normal(0.0, 0.002, (n, 3, 3))
    covariances = root @ np.swapaxes(root, 1, 2)
    starts = rng.uniform(2005.0, 2024.0, n)
    together = transform_coordinates(
        positions, covariances, velocities, "IGS20", year(starts), "CGCS2000", year(2000.0), covariances
    )
    for i in range(n):
        alone = transform_coordinates(
            positions[i],
            covariances[i],
            velocities[i],
            "IGS20",
            year(starts[i]),
            "CGCS2000",
            year(2000.0),
            covariances[i],
        )
        np.testing.assert_allclose(together.position_ecef_m[i], alone.position_ecef_m, rtol=0, atol=2e-9)
        np.testing.assert_allclose(together.covariance_m2[i], alone.covariance_m2, rtol=1e-9)
        np.testing.assert_allclose(together.velocity_m_per_yr[i], alone.velocity_m_per_yr, atol=1e-15)


def test_a_full_covariance_keeps_what_stations_share():
    positions = ecef_from_geodetic(np.radians([30.0, 31.0, 32.0]), np.radians([118.0, 120.0, 121.5]), 50.0)
    velocity = np.tile([-0.03, -0.01, -0.01], (3, 1))
    full = transform_coordinates(
        positions, np.eye(9) * 4e-6, velocity, "IGS20", year(2024.1), "CGCS2000", year(2000.0)
    ).covariance_m2
    single = transform_coordinates(
        positions,
        np.tile(np.eye(3) * 4e-6, (3, 1, 1)),
        velocity,
        "IGS20",
        year(2024.1),
        "CGCS2000",
        year(2000.0),
    ).covariance_m2
    for i in range(3):
        np.testing.assert_allclose(full[3 * i : 3 * i + 3, 3 * i : 3 * i + 3], single[i], rtol=1e-9)
    difference = np.hstack([np.eye(3), -np.eye(3), np.zeros((3, 3))])
    between = np.sqrt(np.diag(difference @ full @ difference.T))
    # The parameters' uncertainty is common: it hardly enters a difference over 200 km.
    np.testing.assert_allclose(between, np.sqrt(8e-6), rtol=0.02)


def test_a_velocity_that_is_needed_and_unknown_is_refused_by_name():
    positions = ecef_from_geodetic(np.radians([30.0, 31.0]), np.radians([118.0, 120.0]), 50.0)
    covariance = np.tile(np.eye(3) * 1e-6, (2, 1, 1))
    velocity = np.array([[-0.03, -0.01, -0.01], [np.nan] * 3])
    with pytest.raises(FrameError, match="no velocity is known for WUH200CHN"):
        transform_coordinates(
            positions,
            covariance,
            velocity,
            "IGS20",
            year(2024.0),
            "CGCS2000",
            year(2000.0),
            stations=["SHAO00CHN", "WUH200CHN"],
        )
    with pytest.raises(FrameError, match="point 1, point 2"):
        transform_coordinates(positions, covariance, None, "IGS20", year(2024.0), "ITRF97", year(2000.0))


def test_at_the_same_epoch_no_velocity_is_needed():
    position = ecef_from_geodetic(0.5, 2.0, 100.0)
    result = transform_coordinates(position, np.eye(3), None, "IGS20", year(2024.0), "ITRF2020", year(2024.0))
    np.testing.assert_array_equal(result.position_ecef_m, position)
    assert result.velocity_m_per_yr is None


def test_the_velocity_s_uncertainty_grows_with_time():
    position, zero = ecef_from_geodetic(0.5, 2.0, 100.0), np.zeros((3, 3))
    result = transform_coordinates(
        position, zero, np.zeros(3), "IGS20", year(2020.0), "ITRF2020", year(2010.0), np.eye(3) * 1e-6
    )
    np.testing.assert_allclose(np.sqrt(np.diag(result.covariance_m2)), 0.010, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"from_frame": "IGS19"}, FrameError, "'IGS19' is not known"),
        ({"to_frame": "Xian 1980"}, FrameError, "is not known"),
        (
            {"to_frame": "CGCS2000", "to_epoch": Epochs.from_decimal_year(2024.0)},
            FrameError,
            "stand at epoch 2000",
        ),
        ({"position_ecef_m": [30.0, 120.0, 50.0]}, InputError, "not geocentric metres"),
        ({"position_ecef_m": [np.nan, 5e6, 3e6]}, InputError, "not geocentric metres"),
        ({"position_ecef_m": [[[1.0]]]}, InputError, "shape"),
        ({"covariance_m2": np.eye(4)}, InputError, "covariance has shape"),
        ({"covariance_m2": -np.eye(3)}, InputError, "positive"),
        ({"covariance_m2": np.full((3, 3), np.nan)}, InputError, "finite"),
        ({"velocity_m_per_yr": [0.0, 0.0]}, InputError, "velocities have shape"),
        ({"velocity_covariance": np.eye(6)}, InputError, "covariances have shapes"),
        ({"stations": ["A", "B"]}, InputError, "2 station names"),
        ({"to_epoch": Epochs.from_decimal_year([2000.0, 2001.0])}, InputError, "2 epochs"),
    ],
)
def test_what_makes_no_sense_is_refused(change, error, text):
    arguments = {
        "position_ecef_m": AUTHORITY["shao"]["igb14_2010_ecef_m"],
        "covariance_m2": np.eye(3) * 1e-6,
        "velocity_m_per_yr": AUTHORITY["shao"]["velocity_m_per_yr"],
        "from_frame": "IGS20",
        "from_epoch": Epochs.from_decimal_year(2024.0),
        "to_frame": "ITRF2014",
        "to_epoch": Epochs.from_decimal_year(2010.0),
    } | change
    with pytest.raises(error, match=text):
        transform_coordinates(**arguments)


def test_the_path_is_told_in_words():
    lines = describe_path("IGS20", "CGCS2000")
    assert [line.split(":")[0].split(" (")[0] for line in lines] == [
        "IGS20 to ITRF2020",
        "ITRF2020 to ITRF97",
        "ITRF97 to CGCS2000",
    ]
    assert "by definition" in lines[0]
    assert "Transfo-ITRF2020_TRFs.txt" in lines[1]


def test_no_path_is_an_error():
    links = [link for link in published_links() if "ITRF97" not in (link.source, link.target)]
    with pytest.raises(FrameError, match="no published transformation"):
        find_path("IGS20", "CGCS2000", links)
