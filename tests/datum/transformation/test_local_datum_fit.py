"""A local datum tied to CGCS2000: parameters, PROJ's agreement, blunders, bad tables."""

import dataclasses

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.formats.common_points_csv import read_common_points, write_common_points
from datum.records import CommonPoint, CommonPoints
from datum.transformation.fit import fit_local_datum
from transforms.ellipsoids import CGCS2000, KRASSOVSKY_1940
from transforms.errors import AdjustmentError, FormatError, InputError
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at, geodetic_from_ecef
from transforms.helmert import apply, apply_inverse, helmert_from_parameters

PROJ_TOLERANCE_M = 1e-4
# T (m), scale (1), rotations (rad): of the size of published Beijing 1954 to WGS 84 sets (EPSG:15918)
TRUE = np.array([12.646, -155.176, -80.863, -6.8e-6, 1.2e-6, -3.9e-6, 2.2e-6])
LATITUDE = np.radians([29.6, 30.1, 30.9, 31.4, 32.2, 30.4, 31.8, 29.9, 32.6, 31.1])
LONGITUDE = np.radians([119.1, 121.4, 120.2, 118.8, 119.9, 118.3, 121.0, 120.5, 121.1, 122.0])
HEIGHT = np.array([35.0, 12.0, 60.0, 410.0, 22.0, 88.0, 5.0, 250.0, 18.0, 9.0])


def helmert(parameters=TRUE):
    return helmert_from_parameters(
        parameters, np.zeros((7, 7)), source="A", target="B", epoch_year=2000.0, citation="test"
    )


def spatial(noise_m=0.0, blunders=None, sigma_m=0.02, n=10, seed=0) -> CommonPoints:
    rng = np.random.default_rng(seed)
    target = ecef_from_geodetic(LATITUDE[:n], LONGITUDE[:n], HEIGHT[:n], CGCS2000)
    local = apply_inverse(helmert(), target, 2000.0)
    enu = rng.normal(0.0, 1.0, (n, 3)) * noise_m
    for index, offset in (blunders or {}).items():
        enu[index] += offset
    target = target + (np.swapaxes(enu_matrix_at(target), 1, 2) @ enu[:, :, None])[:, :, 0]
    points = []
    for i in range(n):
        here = [float(v) for v in geodetic_from_ecef(local[i], KRASSOVSKY_1940)]
        there = [float(v) for v in geodetic_from_ecef(target[i], CGCS2000)]
        points.append(
            CommonPoint(
                f"P{i:02d}",
                (np.degrees(here[0]), np.degrees(here[1]), here[2]),
                (np.degrees(there[0]), np.degrees(there[1]), there[2]),
                None,
                None,
                sigma_m,
                sigma_m,
                i + 2,
            )
        )
    return CommonPoints("Beijing 1954", KRASSOVSKY_1940, "CGCS2000", tuple(points))


def plane(
    noise_m=0.0, blunders=None, rotation=0.02, scale=1.00003, sigma_m=0.02, n=10, seed=0
) -> CommonPoints:
    rng = np.random.default_rng(seed)
    source = np.column_stack([rng.uniform(4e4, 9e4, n), rng.uniform(1e4, 6e4, n)])
    turned = source @ np.array([[np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]])
    target = np.array([453_000.0, 3_410_000.0]) + scale * turned + rng.normal(0, 1, (n, 2)) * noise_m
    for index, offset in (blunders or {}).items():
        target[index] += offset
    return CommonPoints(
        "City datum", None, "CGCS2000",
        tuple(
            CommonPoint(f"P{i:02d}", None, None, tuple(source[i]), tuple(target[i]), sigma_m, sigma_m, i + 2)
            for i in range(n)
        ),
    )  # fmt: skip


def test_seven_parameters_are_found_again():
    fit = fit_local_datum(spatial())
    names = ["translation_x_m", "translation_y_m", "translation_z_m", "scale_ppm", "rotation_x_arcsec",
             "rotation_y_arcsec", "rotation_z_arcsec"]  # fmt: skip
    assert list(fit.parameters) == names
    assert fit.covariance.shape == (7, 7)
    unit = np.array([1.0, 1.0, 1.0, 1e-6] + [np.pi / 180 / 3600] * 3)
    # Over 400 km one unit of rotation and of translation hardly differ: compare what they do to a point.
    found = np.array(list(fit.parameters.values())) * unit
    there = ecef_from_geodetic(np.radians(31.0), np.radians(120.0), 50.0)
    np.testing.assert_allclose(
        apply(helmert(found), there, 2000.0), apply(helmert(), there, 2000.0), rtol=0, atol=1e-6
    )
    assert fit.rms_m < 1e-6
    assert fit.rejections == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_proj_reproduces_the_fit_in_space(seed):
    common = spatial(noise_m=0.05, seed=seed)
    fit = fit_local_datum(common)
    proj = pyproj.Transformer.from_pipeline(fit.proj_pipeline)
    for point in common.points:
        latitude, longitude, height = point.source_geodetic
        x, y, z = proj.transform(longitude, latitude, height, errcheck=True)
        ours = ecef_from_geodetic(np.radians(y), np.radians(x), z, CGCS2000)
        latitude, longitude, height = point.target_geodetic
        target = ecef_from_geodetic(np.radians(latitude), np.radians(longitude), height, CGCS2000)
        enu = enu_matrix_at(target) @ (target - ours)
        np.testing.assert_allclose(enu, fit.residual_m[point.name], rtol=0, atol=PROJ_TOLERANCE_M)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3.1, 3.1), st.floats(0.9995, 1.0005))
def test_proj_reproduces_the_fit_in_the_plane(seed, rotation, scale):
    common = plane(noise_m=0.03, seed=seed, rotation=rotation, scale=scale)
    fit = fit_local_datum(common, kind="similarity4")
    proj = pyproj.Transformer.from_pipeline(fit.proj_pipeline)
    for point in common.points:
        moved = proj.transform(*point.source_plane_m, errcheck=True)
        np.testing.assert_allclose(
            np.array(point.target_plane_m) - moved, fit.residual_m[point.name], rtol=0, atol=PROJ_TOLERANCE_M
        )
    assert fit.parameters["scale_ppm"] == pytest.approx((scale - 1.0) * 1e6, abs=5.0)
    difference = fit.parameters["rotation_arcsec"] - np.degrees(rotation) * 3600
    assert (difference + 648000) % 1296000 - 648000 == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize(("kind", "make"), [("helmert7", spatial), ("similarity4", plane)])
def test_one_blunder_is_found_and_the_rest_untouched(kind, make):
    offset = np.array([0.0, 0.6, 0.0])[: 3 if kind == "helmert7" else 2]
    clean = fit_local_datum(make(noise_m=0.02, n=9), kind=kind)
    fit = fit_local_datum(make(noise_m=0.02, n=9, blunders={4: offset}), kind=kind)
    (rejection,) = fit.rejections
    assert rejection.subject == "P04"
    assert rejection.reason.startswith("line 6: off by")
    assert rejection.statistic > rejection.limit
    np.testing.assert_allclose(fit.residual_m["P04"][1], 0.6, atol=0.12)
    assert fit.rms_m == pytest.approx(clean.rms_m, rel=0.6)


@pytest.mark.parametrize(("kind", "make"), [("helmert7", spatial), ("similarity4", plane)])
def test_two_blunders_do_not_hide_each_other(kind, make):
    offset = np.array([0.5, 0.5, 0.0])[: 3 if kind == "helmert7" else 2]
    fit = fit_local_datum(make(noise_m=0.02, blunders={1: offset, 6: -offset}), kind=kind)
    assert {r.subject for r in fit.rejections} == {"P01", "P06"}


@pytest.mark.parametrize(("kind", "make"), [("helmert7", spatial), ("similarity4", plane)])
@pytest.mark.parametrize("noise_m", [0.02, 0.2])
def test_good_points_are_rarely_dropped_whether_or_not_sigmas_are_right(kind, make, noise_m):
    """Of 60 clean tables, sigmas 2 cm and noise 2 or 20 cm, few lose a point."""
    dropped = sum(
        bool(fit_local_datum(make(noise_m=noise_m, seed=s), kind=kind).rejections) for s in range(60)
    )
    assert dropped <= 6


def test_sigmas_that_are_too_small_raise_the_covariance():
    one = fit_local_datum(plane(noise_m=0.2, sigma_m=0.02), kind="similarity4")
    two = fit_local_datum(plane(noise_m=0.2, sigma_m=0.2), kind="similarity4")
    ratio = np.diag(one.covariance) / np.diag(two.covariance)
    assert np.all(ratio > 0.4)


def test_the_covariance_is_that_of_repetition():
    """Scatter of 200 fits of a plane similarity against its formal sigmas; a sample sigma is good to 5 %."""
    fits = [fit_local_datum(plane(noise_m=0.02, sigma_m=0.02, seed=0), kind="similarity4")]
    values = []
    base = plane()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        points = tuple(
            dataclasses.replace(p, target_plane_m=tuple(np.array(p.target_plane_m) + rng.normal(0, 0.02, 2)))
            for p in base.points
        )
        values.append(
            list(
                fit_local_datum(
                    dataclasses.replace(base, points=points), kind="similarity4"
                ).parameters.values()
            )
        )
    np.testing.assert_allclose(
        np.std(values, axis=0, ddof=1), np.sqrt(np.diag(fits[0].covariance)), rtol=0.35
    )


def test_what_cannot_be_fitted_is_refused():
    common = spatial()
    one_line = tuple(
        dataclasses.replace(p, source_plane_m=(1000.0, 2000.0), target_plane_m=(5.0, 6.0))
        for p in common.points
    )
    doubled = plane()
    doubled_points = tuple(
        dataclasses.replace(p, target_plane_m=(2 * p.target_plane_m[0], 2 * p.target_plane_m[1]))
        for p in doubled.points
    )
    single = dataclasses.replace(plane(), points=plane().points[:1])
    cases = [
        (dataclasses.replace(common, points=common.points[:2]), "helmert7", AdjustmentError, "at least 3"),
        (single, "similarity4", AdjustmentError, "at least 2"),
        (dataclasses.replace(common, points=one_line), "similarity4", AdjustmentError, "one place"),
        (dataclasses.replace(doubled, points=doubled_points), "similarity4", AdjustmentError, "is no datum"),
        (common, "similarity4", InputError, "P00 .line 2. has no easting and northing"),
        (plane(), "helmert7", InputError, "ellipsoid of City datum is not known"),
        (common, "molodensky", InputError, "not as 'molodensky'"),
        (
            plane(noise_m=0.01, blunders={i: np.array([0.9, -0.7]) * (-1) ** i for i in (1, 4, 6)}),
            "similarity4", AdjustmentError, "3 of 10 common points do not fit",
        ),
    ]  # fmt: skip
    for points, kind, error, message in cases:
        with pytest.raises(error, match=message):
            fit_local_datum(points, kind=kind)


def test_tables_read_back_what_was_written(tmp_path):
    for number, common in enumerate((spatial(noise_m=0.02), plane(noise_m=0.02))):
        path = tmp_path / f"{number}.csv"
        write_common_points(path, common)
        again = read_common_points(path)
        assert (again.source_datum, again.source_ellipsoid, again.target_frame) == (
            common.source_datum, common.source_ellipsoid, "CGCS2000",
        )  # fmt: skip
        kind = "similarity4" if common.points[0].source_geodetic is None else "helmert7"
        one, two = fit_local_datum(common, kind=kind), fit_local_datum(again, kind=kind)
        for name, residual in one.residual_m.items():
            np.testing.assert_allclose(two.residual_m[name], residual, rtol=0, atol=3e-4)
        write_common_points(tmp_path / "again.csv", again)
        assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()
        assert len(again.inputs[0].sha256) == 64


GOOD = (
    "point,source_datum,source_easting_m,source_northing_m,target_frame,target_easting_m,target_northing_m,sigma_m\n"
    "A,City,1000,2000,CGCS2000,5000,6000,0.02\n"
    "B,City,1500,2600,CGCS2000,5500,6600,0.02\n"
)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("A,City", "B,City", "line 3: column point: B stands in line 2"),
        ("B,City", "B,Town", "line 3: column source_datum: 'Town' differs from 'City' in line 2"),
        ("CGCS2000", "CGCS2001", "column target_frame: frame 'CGCS2001' is not known"),
        ("1500", "abc", "line 3: column source_easting_m: a number was expected"),
        ("1500", "nan", "line 3: column source_easting_m"),
        ("2600", "", "line 3: column source_northing_m: is empty, and the rest"),
        ("1500,2600", ",", "line 3: B needs a position on both sides"),
        ("0.02", "0", "column sigma_m"),
        ("sigma_m", "sigma", "unknown column 'sigma'"),
        ("source_datum", "datum", "unknown column 'datum'"),
        (
            "source_easting_m,source_northing_m",
            "source_latitude_deg,source_longitude_deg",
            "between -90 and 90",
        ),
    ],
)
def test_bad_tables_are_refused_by_line_and_column(tmp_path, old, new, message):
    path = tmp_path / "points.csv"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_common_points(path)


def test_a_datum_whose_ellipsoid_nobody_knows_is_refused(tmp_path):
    path = tmp_path / "points.csv"
    write_common_points(path, dataclasses.replace(spatial(), source_datum="Harbour", source_ellipsoid=None))
    with pytest.raises(FormatError, match="ellipsoid of 'Harbour' is not known"):
        read_common_points(path)
    text = path.read_text(encoding="utf-8").replace("source_datum,", "source_datum,source_ellipsoid,")
    path.write_text(text.replace("Harbour,", "Harbour,Clarke 1866,"), encoding="utf-8")
    with pytest.raises(FormatError, match="'Clarke 1866' is not known; known are Krassovsky 1940"):
        read_common_points(path)
    path.write_text(text.replace("Harbour,", "Harbour,Krassovsky 1940,"), encoding="utf-8")
    assert read_common_points(path).source_ellipsoid is KRASSOVSKY_1940
