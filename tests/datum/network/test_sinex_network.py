"""SINEX as a part of a network: constraints are removed, and what cannot be a covariance is refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from datum.formats.network_files import read_network
from datum.network.adjust import adjust_network
from datum.network.observations import (
    CoordinateCluster,
    DatumKind,
    NetworkDatum,
    NetworkPoint,
    NormalEquationCluster,
)
from datum.network.sinex_network import sinex_network
from stations.formats.sinex import SinexPosition, document_of_positions
from stations.formats.sinex_records import SinexDocument
from stations.records import AntennaType, StationSetup
from transforms.errors import FormatError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

EPOCH = Epochs.from_datetime64("2024-02-04T12:00:00")
SETUP = StationSetup("", "", "", AntennaType("", "NONE"), (0.0, 0.0, 0.0))
N = 5
SAME_M = 1e-6


def free_normals() -> np.ndarray:
    """Normal matrix of vectors between all pairs: it does not know where the network is."""
    matrix = np.zeros((3 * N, 3 * N))
    for i in range(N):
        for j in range(i):
            difference = np.zeros((3, 3 * N))
            difference[:, 3 * i : 3 * i + 3] = np.eye(3)
            difference[:, 3 * j : 3 * j + 3] = -np.eye(3)
            matrix += difference.T @ difference / 0.003**2
    return matrix


def document(frame: str = "IGS20") -> tuple[SinexDocument, np.ndarray]:
    """A solution tightly held to a-priori coordinates that are wrong in shape, and its free truth."""
    generator = np.random.default_rng(4)
    truth = ecef_from_geodetic(
        np.radians(30.0 + 0.2 * np.arange(N)), np.radians(114.0 + 0.3 * np.arange(N) ** 1.5), 50.0
    )
    apriori = truth + generator.normal(0.0, 0.02, (N, 3))
    normal, constraint = free_normals(), np.eye(3 * N) * 0.001**2
    weight = np.linalg.inv(constraint)
    covariance = np.linalg.inv(normal + weight)
    held = apriori.ravel() + covariance @ (normal @ (truth - apriori).ravel())
    positions = [
        SinexPosition(
            f"ST{i:02d}", "", 1, held.reshape(N, 3)[i], apriori[i], EPOCH, EPOCH, EPOCH, EPOCH, SETUP
        )
        for i in range(N)
    ]
    made = document_of_positions(
        positions,
        covariance,
        frame=frame,
        description="test",
        statistics={},
        remarks=(),
        created=EPOCH,
    )
    return dataclasses.replace(made, covariance=covariance, apriori_covariance=constraint), truth


def test_constraints_are_removed() -> None:
    made, truth = document()
    network = sinex_network(made)
    assert isinstance(network.clusters[0], NormalEquationCluster)
    free = dataclasses.replace(network, datum=NetworkDatum(DatumKind.FREE))
    result = adjust_network(free)
    found = np.array([point.position_m for point in result.points])
    # Without constraints the shape is that of the observations; where it lies is the datum's affair.
    assert np.allclose(found - found.mean(axis=0), truth - truth.mean(axis=0), rtol=0.0, atol=1e-4)
    # The file's own positions are pulled out of shape by its constraints.
    kept = np.array([p.position_ecef_m for p in network.points if isinstance(p, NetworkPoint)])
    assert np.max(np.abs((kept - kept.mean(axis=0)) - (truth - truth.mean(axis=0)))) > 1e-3


def test_without_constraints_told_the_covariance_is_taken() -> None:
    made, _ = document(frame="GDA2020")
    network = sinex_network(dataclasses.replace(made, apriori_covariance=None))
    (cluster,) = network.clusters
    assert isinstance(cluster, CoordinateCluster)
    assert made.covariance is not None
    assert np.array_equal(cluster.covariance_m2, made.covariance)
    assert network.frame == "GDA2020"  # a national frame keeps its name
    result = adjust_network(network)
    assert result.degrees_of_freedom == 0
    assert np.allclose([p.position_m for p in result.points], cluster.position_m, rtol=0.0, atol=SAME_M)


def test_what_cannot_be_is_refused() -> None:
    made, _ = document()
    assert made.covariance is not None
    with pytest.raises(FormatError, match="not positive definite"):
        sinex_network(dataclasses.replace(made, covariance=-made.covariance))
    with pytest.raises(FormatError, match="tighter constraints than the covariance"):
        sinex_network(dataclasses.replace(made, apriori_covariance=np.eye(3 * N) * 1e-12))
    with pytest.raises(FormatError, match="no station positions"):
        sinex_network(dataclasses.replace(made, estimates=()))


@pytest.mark.real_data
def test_a_daily_sinex_of_the_igs_is_a_network(real_data: Path) -> None:
    network = read_network([real_data / "truth" / "IGS0OPSSNX_20240350000_01D_01D_CRD.SNX.gz"])
    assert len(network.points) == 492
    assert "no covariance between stations" in network.remarks[0]
