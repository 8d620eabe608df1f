"""Adjust, reject what the solution does not believe, open arcs at steps, until nothing changes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.estimator import Estimate, adjust
from stations.ppp.outliers import find_outliers, find_residual_steps
from stations.ppp.rows import NO_POSITION_OF_THE_EPOCH, Rejections, epoch_redundancy, rows_without_position
from stations.ppp.session import LinearProblem, Session
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]

# Gross errors bend a least-squares solution, so the first rounds reject only what stands out far.
_FIRST_LIMITS: Final = (12.0, 7.0)
_MAXIMUM_ROUNDS: Final = 25
_MINIMUM_PHASES_OF_AN_ARC: Final = 3


@dataclass(frozen=True, eq=False)
class RobustEstimate:
    """A converged adjustment: weight (2 n,) is 0 for what was rejected, phases first."""

    problem: LinearProblem
    estimate: Estimate
    weight: FloatArray

    @property
    def phase_used(self) -> NDArray[np.bool_]:
        """Phases believed, (n,)."""
        return np.asarray(self.weight[: self.problem.rows.size] > 0.0)

    @property
    def code_used(self) -> NDArray[np.bool_]:
        """Codes believed, (n,)."""
        return np.asarray(self.weight[self.problem.rows.size :] > 0.0)


def adjust_robustly(session: Session, problem: LinearProblem, rejections: Rejections) -> RobustEstimate:
    """Least squares with rejection; every rejection is counted by its reason.

    Raises AdjustmentError where rejecting does not come to an end: such data fit no solution.
    """
    n = problem.rows.size
    weight = problem.equations.weight.copy()
    limits = [*_FIRST_LIMITS, session.options.rejection_limit]
    for _ in range(_MAXIMUM_ROUNDS):
        estimate = adjust(
            problem.equations.design,
            problem.equations.local_design,
            problem.equations.local_size,
            problem.misclosure_m,
            weight,
            *session.constraints(problem.layout),
        )
        phase_used = weight[:n] > 0.0
        steps = find_residual_steps(estimate.residuals[:n], problem.rows.arc, phase_used)
        if steps:
            arc = problem.rows.arc.copy()
            fresh = problem.layout.n_arcs
            for k, step in enumerate(steps):
                from_epoch = problem.rows.epoch_index[step.rows[0]]
                arc[(arc == step.arc) & (problem.rows.epoch_index >= from_epoch)] = fresh + k
            rejections.add("cycle slip found in residuals", len(steps))
            problem = session.with_arcs(problem, arc)
            continue
        limit = limits[0]
        redundancy = epoch_redundancy(
            problem.rows, session.selected.group, phase_used, own_position=not problem.layout.static
        )
        phase_bad = find_outliers(estimate.residuals[:n], weight[:n], limit, redundancy)
        code_bad = find_outliers(estimate.residuals[n:], weight[n:], limit)
        left = phase_used & ~phase_bad
        count = np.bincount(problem.rows.arc[left], minlength=problem.layout.n_arcs)
        lonely = left & (count[problem.rows.arc] < _MINIMUM_PHASES_OF_AN_ARC)
        rejections.add("phase residual too large", int(np.count_nonzero(phase_bad)))
        rejections.add("too little left of the arc", int(np.count_nonzero(lonely)))
        dropped = phase_bad | lonely
        if not problem.layout.static:
            used = ~dropped & ((phase_used & ~phase_bad) | ((weight[n:] > 0.0) & ~code_bad))
            group = session.selected.group
            alone = rows_without_position(problem.rows, problem.paths.line_of_sight, group, used)
            alone &= weight[:n] + weight[n:] > 0.0
            rejections.add(NO_POSITION_OF_THE_EPOCH, int(np.count_nonzero(alone & ~dropped)))
            dropped = dropped | alone
        rejections.add("code residual too large", int(np.count_nonzero(code_bad & ~dropped)))
        weight[:n][dropped] = 0.0
        weight[n:][dropped | code_bad] = 0.0
        if not dropped.any() and not code_bad.any():
            if len(limits) == 1:
                return RobustEstimate(problem, estimate, weight)
            limits.pop(0)
        elif len(limits) > 1:
            limits.pop(0)
    raise AdjustmentError(
        f"the residuals do not settle in {_MAXIMUM_ROUNDS} rounds of rejection: "
        "observations and products do not belong together"
    )
