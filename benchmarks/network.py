"""How long the adjustment of a region's network takes, how it grows, and what memory it needs.

    python benchmarks/network.py [--stations 1000 4000 16000 64000] [--json FILE]

Synthetic regional networks: stations at random in a square with 10 km between neighbours, nine GNSS vectors
per station to near neighbours, each with a full covariance (5 mm + 1 ppm horizontally, 10 mm + 2 ppm in
height), one station in five hundred fixed. Each size runs in a process of its own, on one thread, for a
clean peak of memory; what is timed is everything from records to records: equations, dissection, factor,
iteration, covariances of all stations and of all vectors' pairs, residuals with all their tests. Seconds
are those of the clock and of the processor.

As a peer, scipy's sparse LU (SuperLU with the ordering that suits symmetric matrices) solves the same normal
equations for the coordinates; having no selected inverse, it would solve for the columns of all covariances:
thirty of them are measured and the rest told in proportion.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from datum.network.adjust import adjust_network
from datum.network.blocks import linearise, normal_matrix
from datum.network.gauss_newton import network_system
from datum.network.gnss_equations import vector_blocks
from datum.network.observations import (
    ALL_FREE,
    ComponentRole,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkPoint,
)
from datum.network.unknowns import given_positions, make_unknowns
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at

VECTORS_PER_STATION = 9
SPACING_M = 10_000.0
PEER_COLUMNS = 30  # of the inverse that the peer solves for, to tell the time of all in proportion
# Published by DynAdjust's authors for a machine of this class.
DYNADJUST = {4_000: "4 s phased, 80 s simultaneous", 16_000: "42 s phased (143,910 observations)"}


def synthetic_network(n_stations: int, seed: int = 1) -> tuple[Network, np.ndarray]:
    """A network and the true positions (n, 3) of its stations."""
    rng = np.random.default_rng(seed)
    side = SPACING_M * np.sqrt(n_stations)
    plane = rng.uniform(-0.5 * side, 0.5 * side, (n_stations, 2))
    latitude = np.radians(35.0) + plane[:, 1] / 6.37e6
    longitude = np.radians(105.0) + plane[:, 0] / (6.37e6 * np.cos(latitude))
    truth = np.asarray(ecef_from_geodetic(latitude, longitude, rng.uniform(0.0, 2000.0, n_stations)))
    neighbours = np.asarray(KDTree(plane).query(plane, k=16)[1])
    pairs = np.column_stack([np.repeat(np.arange(n_stations), 15), neighbours[:, 1:].ravel()])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    # All ties to the three nearest, so that nothing hangs loose; the rest at random.
    near = np.column_stack([np.repeat(np.arange(n_stations), 3), neighbours[:, 1:4].ravel()])
    near = np.unique(np.sort(near, axis=1), axis=0)
    rest = pairs[rng.permutation(len(pairs))[: VECTORS_PER_STATION * n_stations]]
    vectors = np.concatenate([near, rest])[: VECTORS_PER_STATION * n_stations]
    vectors = vectors[rng.permutation(len(vectors))]
    frm, to = vectors.T
    exact = truth[to] - truth[frm]
    length = np.linalg.norm(exact, axis=1)
    level, height = 0.005 + 1e-6 * length, 0.010 + 2e-6 * length
    axes = enu_matrix_at(truth[frm])
    sigma = np.column_stack([level, level, height])
    covariance = np.einsum("mli,ml,mlj->mij", axes, sigma**2, axes)
    noise = np.einsum("mli,ml->mi", axes, sigma * rng.standard_normal(sigma.shape))
    fixed = (ComponentRole.FIXED,) * 3
    control = set(range(0, n_stations, 500))
    start = truth + np.where(
        np.isin(np.arange(n_stations), list(control))[:, None], 0.0, 0.3
    ) * rng.standard_normal(truth.shape)
    names = [f"S{i:05d}" for i in range(n_stations)]
    points = tuple(
        NetworkPoint(names[i], start[i], fixed if i in control else ALL_FREE) for i in range(n_stations)
    )
    cluster = GnssVectorCluster(
        tuple(names[i] for i in frm.tolist()), tuple(names[i] for i in to.tolist()), exact + noise, covariance
    )
    return Network(Geometry.EARTH, points, (cluster,)), truth


def peak_memory_gb() -> float:
    """Greatest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(n_stations: int) -> dict[str, float]:
    """One run in this process."""
    network, truth = synthetic_network(n_stations)
    before_gb = peak_memory_gb()
    began, began_processor = time.perf_counter(), time.process_time()
    result = adjust_network(network)
    seconds, processor = time.perf_counter() - began, time.process_time() - began_processor
    position = np.array([p.position_m for p in result.points])
    cofactor = np.array([p.cofactor_m2 for p in result.points])
    free = np.array([p.cofactor_m2[0, 0] > 0.0 for p in result.points])
    enu = np.einsum("nij,nj->ni", enu_matrix_at(truth), position - truth)[free]
    square = np.einsum("ni,nij,nj->n", enu, np.linalg.inv(cofactor[free]), enu)
    return {
        "stations": n_stations,
        "vectors": len(network.clusters[0].frm),  # type: ignore[union-attr]
        "unknowns": result.n_unknowns,
        "seconds": seconds,
        "processor_seconds": processor,
        "memory_gb": peak_memory_gb(),
        "memory_before_gb": before_gb,
        "variance_factor": result.sigma_zero,
        "error_rms_m": float(np.sqrt(np.mean(enu**2))),
        # 3 where the covariances say the truth.
        "mean_square_in_sigmas": float(square.mean()),
    }


def measure_peer(n_stations: int) -> dict[str, float]:
    """scipy's sparse LU on the same normal equations."""
    network, _ = synthetic_network(n_stations)
    unknowns, start = make_unknowns(network, network.points, given_positions(network))
    block = vector_blocks([(0, network.clusters[0])], unknowns, None)  # type: ignore[list-item]
    system = network_system(unknowns, start, block, [], network.datum)
    matrix, right_side = normal_matrix([linearise(block[0], unknowns, start)], system.pattern, unknowns)
    began = time.process_time()
    grid = np.arange(3)
    place = np.cumsum(unknowns.sizes) - unknowns.sizes
    nodes = np.flatnonzero(unknowns.sizes == 3)
    i, j = matrix.pairs.T
    rows = np.concatenate([place[k][:, None, None] + grid[:, None] + 0 * grid for k in (nodes, i, j)])
    columns = np.concatenate([place[k][:, None, None] + grid + 0 * grid[:, None] for k in (nodes, j, i)])
    data = np.concatenate([matrix.diagonal[nodes], matrix.blocks, matrix.blocks.transpose(0, 2, 1)])
    size = int(unknowns.sizes.sum())
    sparse = coo_matrix((data.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size)).tocsc()
    factor = splu(sparse, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    factor.solve(right_side[nodes].ravel())
    coordinates = time.process_time() - began
    unit = np.zeros((size, PEER_COLUMNS))
    unit[np.linspace(0, size - 1, PEER_COLUMNS).astype(int), np.arange(PEER_COLUMNS)] = 1.0
    began = time.process_time()
    factor.solve(unit)
    covariances = (time.process_time() - began) * size / PEER_COLUMNS
    return {
        "stations": n_stations,
        "processor_seconds": coordinates,
        "covariances_seconds": covariances,
        "memory_gb": peak_memory_gb(),
    }


def in_own_process(n_stations: int, *, peer: bool) -> dict[str, float]:
    """Run this file for one size and read what it measured."""
    command = [sys.executable, __file__, "--one", str(n_stations), *(["--peer"] if peer else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return dict(json.loads(answer.stdout))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stations", type=int, nargs="+", default=[1_000, 4_000, 16_000, 64_000])
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        sys.stdout.write(json.dumps((measure_peer if arguments.peer else measure)(arguments.one)))
        return
    results = []
    write = sys.stdout.write
    write("stations  vectors  seconds  of processor   memory  factor  truth/covariance")
    write("  scipy splu: coordinates + covariances  DynAdjust\n")
    for n_stations in arguments.stations:
        ours = in_own_process(n_stations, peer=False)
        peer = in_own_process(n_stations, peer=True)
        results.append({"jizhun": ours, "scipy_splu": peer})
        peer_text = f"{peer['processor_seconds']:.1f} s + {peer['covariances_seconds']:.0f} s"
        write(
            f"{n_stations:8d} {ours['vectors']:8.0f} {ours['seconds']:8.2f} {ours['processor_seconds']:13.2f}"
            f" {ours['memory_gb']:5.2f} GB {ours['variance_factor']:7.4f}"
            f" {ours['mean_square_in_sigmas'] / 3.0:17.3f}  {peer_text}  {DYNADJUST.get(n_stations, '')}\n"
        )
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
