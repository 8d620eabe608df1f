"""A local datum tied to the national frame by common points, with blunders found."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher

from datum.network.testing import chi_square_limit, hypothesis, robust_variance_factor
from datum.records import CommonPoints, LocalDatumFit, Rejection
from datum.transformation.common_point_models import (
    CommonPointModel,
    FittedModel,
    PlaneSimilarity,
    SevenParameters,
)
from transforms.errors import AdjustmentError, InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SIGNIFICANCE: Final = 0.01  # probability that the search drops any of good points
# More blunders than that are no blunders: the points do not follow the model.
MAXIMUM_REJECTED_SHARE: Final = 0.25
_FEWEST_POINTS: Final = {"helmert7": 3, "similarity4": 2}


def fit_local_datum(
    points: CommonPoints, *, kind: Literal["helmert7", "similarity4"] = "helmert7"
) -> LocalDatumFit:
    """Fit seven parameters in space or a plane similarity to common points.

    A point is dropped where its error lowers the weighted square sum by more than the points left explain
    (Fisher's test with the variance factor that they give) and by more than its own sigma explains
    (chi-square). Local datums are distorted by decimetres: sigmas that are too small raise the variance
    factor, which the covariance of the parameters is multiplied with.

    Raises AdjustmentError for fewer than 3 (plane: 2) points, points in one place or on one line, and where
    more than a quarter of the points would have to go; InputError where coordinates for the kind are missing.
    """
    if kind not in _FEWEST_POINTS:
        raise InputError(f"a local datum is fitted as helmert7 or similarity4, not as {kind!r}")
    n = len(points.points)
    if n < _FEWEST_POINTS[kind]:
        raise AdjustmentError(
            f"{kind} needs at least {_FEWEST_POINTS[kind]} common points, and there are {n}"
        )
    model: CommonPointModel = SevenParameters(points) if kind == "helmert7" else PlaneSimilarity(points)
    used = np.ones(n, dtype=np.bool_)
    rejections: list[Rejection] = []
    while True:
        fitted = model.fit(used)
        found = _worst(model, fitted, used)
        if found is None:
            break
        index, statistic, limit = found
        if len(rejections) + 1 > MAXIMUM_REJECTED_SHARE * n:
            names = ", ".join([r.subject for r in rejections] + [points.points[index].name])
            raise AdjustmentError(
                f"{len(rejections) + 1} of {n} common points do not fit ({names}): the datum is no {kind}, "
                "or columns are wrong"
            )
        used[index] = False
        line = points.points[index].line_in_file
        size = " ".join(f"{v:+.3f}" for v in model.fit(used).residual_m[index])
        rejections.append(
            Rejection(
                points.points[index].name,
                f"line {line}: off by {size} m ({_axes_of(model)}) from the others",
                statistic,
                limit,
            )
        )
    factor = 1.0
    if fitted.degrees_of_freedom > 0:
        factor = max(fitted.weighted_square_sum / fitted.degrees_of_freedom, 1.0)
    return LocalDatumFit(
        source_datum=points.source_datum,
        target_frame=points.target_frame,
        kind=kind,
        parameters=fitted.parameters,
        covariance=fitted.covariance * factor,
        residual_m={p.name: fitted.residual_m[i] for i, p in enumerate(points.points)},
        rms_m=float(np.sqrt(np.mean(fitted.residual_m[used] ** 2))),
        proj_pipeline=fitted.proj_pipeline,
        rejections=tuple(rejections),
        inputs=points.inputs,
    )


def _axes_of(model: CommonPointModel) -> str:
    return ", ".join(("east", "north", "up")[: model.n_components])


def _worst(model: CommonPointModel, fitted: FittedModel, used: BoolArray) -> tuple[int, float, float] | None:
    """The point whose error explains most, with statistic and limit; None where all fit."""
    d = model.n_components
    left = fitted.degrees_of_freedom - d
    if left <= 0:
        return None
    indices = np.flatnonzero(used)
    tested: list[tuple[float, int]] = []
    for position, index in enumerate(indices):
        rows = np.arange(d * position, d * position + d)
        result = hypothesis(fitted.linear, rows, np.eye(d))
        if result is not None:
            tested.append((result[0], int(index)))
    if not tested:
        return None
    fall, worst = max(tested, key=lambda t: (t[0], -t[1]))
    without = max(fitted.weighted_square_sum - fall, 0.0) / left
    no_constraints = np.zeros((0, model.n_parameters))
    robust = robust_variance_factor(fitted.linear.design, fitted.linear.misclosure, no_constraints, d)
    # Several blunders hide each other in the plain factor, and one hides itself in the robust factor of few
    # points; below 1 the given sigmas hold.
    factor = max(min(without, robust), 1.0)
    statistic = fall / d / factor
    significance = SIGNIFICANCE / len(tested)
    limit = max(
        float(fisher.isf(significance, d, left)) if factor > 1.0 else 0.0,
        chi_square_limit(d, significance) / d,
    )
    return (worst, statistic, limit) if statistic > limit else None
