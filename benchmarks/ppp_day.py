"""Time and memory of precise point positioning over a whole day, beside RTKLIB's rnx2rtkp in the same run.

NIST 2023-001 (WUM orbits and 30 s clocks), 24 h every 30 s: GPS + Galileo + BeiDou float, GPS + Galileo
float, each from the Compact RINEX file to the solution in a process of its own; then more of the day's
stations in one process. BOR1 2024-035 (GRG orbits, clocks and phase biases, every 300 s), float and fixed.

The peer: rnx2rtkp (Debian package `rtklib`), static PPP, GPS + Galileo, float, forward filter alone and
forward and backward combined, from the decompressed file and the same orbits and clocks. It is given them
decompressed and without BeiDou and GLONASS, as it cannot read that many satellites.

Growth with the interval: 300, 120, 60 and 30 s are measured. No data of a higher rate are there; figures for
15, 5 and 1 s are extrapolated along the straight line through the measured ones and say so.

Run: python benchmarks/ppp_day.py [--rounds N]   (needs the real data sets, JIZHUN_REAL_DATA)
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
DATA: Final = Path(os.environ.get("JIZHUN_REAL_DATA", REPOSITORY / ".." / "shared" / "data")).resolve()
TRUTH_ECEF_M: Final = {
    "NIST": (-1288398.5674, -4721696.9371, 4078625.3443),  # IGS, +-7 mm E, 5 mm N, 8 mm U
    "BOR1": (3738358.1332, 1148174.0088, 5021815.9338),  # IGS daily SINEX of 2024-035, IGS20
}
FILES: Final[dict[str, dict[str, Any]]] = {
    "NIST": {
        "observations": "nist_2023001/NIST00USA_R_20230010000_01D_30S_MO.crx.gz",
        "products": (
            "nist_2023001/WUM0MGXFIN_20230010000_01D_05M_ORB.SP3.gz",
            "nist_2023001/WUM0MGXFIN_20230010000_01D_30S_CLK.CLK.gz",
            "eop/finals2000A.gz",
        ),
    },
    "BOR1": {
        "observations": "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz",
        "products": (
            "bor1_2024035/GRG0MGXFIN_20240350000_01D_05M_ORB.SP3.gz",
            "bor1_2024035/GRG0MGXFIN_20240350000_01D_01D_OSB.BIA.gz",
            "eop/finals2000A.gz",
        ),
    },
}
ANTEX: Final = "atx/igs20_2385_sats_plus_6rcv.atx.gz"
ANTEX_OF_OLD_ANTENNAS: Final = "atx/igs05.atx.gz"
RTKLIB_OPTIONS: Final = """
pos1-posmode=ppp-static
pos1-frequency=l1+l2+l5
pos1-soltype=SOLUTION
pos1-elmask=7
pos1-tidecorr=on
pos1-ionoopt=dual-freq
pos1-tropopt=est-ztdgrad
pos1-sateph=precise
pos1-posopt1=on
pos1-posopt2=on
pos1-posopt3=on
pos1-posopt4=on
pos1-navsys=9
out-solformat=xyz
out-solstatic=single
ant1-anttype=NOV750.R4       NONE
file-satantfile=igs20.atx
file-rcvantfile=igs05.atx
"""


def one_process(arguments: argparse.Namespace) -> int:
    """In a process of its own: solve, and say what it took. Called by `measured`."""
    import numpy as np
    import xarray as xr  # the readers import it when first called: it belongs to the start-up

    from pipelines.shared_products import day_products, shared_antennas
    from stations.formats.rinex_observation import read_observations
    from stations.ppp.options import PppOptions
    from stations.ppp.solve import solve_station
    from transforms.geodetic import enu_matrix_at

    xr.Dataset()
    ready = time.process_time()
    laps = []
    for _ in range(arguments.stations):
        begin = time.process_time()
        files = FILES[arguments.one]
        observations = read_observations([DATA / files["observations"]])
        read = time.process_time()
        epochs = observations.epochs
        # The day's files do not change while this runs: a word stands for their sha256.
        products = day_products(
            "benchmark",
            tuple(str(DATA / name) for name in files["products"]),
            epochs[0],
            epochs[-1],
            systems=arguments.systems,
            ambiguities=arguments.ambiguities,
            centre=None,
            allow_mixed=False,
        )
        antennas = shared_antennas("benchmark", (str(DATA / ANTEX), str(DATA / ANTEX_OF_OLD_ANTENNAS)))
        given = time.process_time()
        options = PppOptions(
            systems=arguments.systems, ambiguities=arguments.ambiguities, interval_s=arguments.interval
        )
        solution = solve_station(observations, products, antennas, options=options)
        end = time.process_time()
        laps.append({"read": read - begin, "products": given - read, "solve": end - given})
    truth = np.array(TRUTH_ECEF_M[arguments.one])
    enu_mm = enu_matrix_at(truth) @ (solution.position_ecef_m - truth) * 1e3
    content = {
        "start_up": ready,
        "laps": laps,
        "enu_mm": enu_mm.tolist(),
        "epochs": solution.n_epochs,
        "observations": solution.n_observations,
        "fixed": solution.fixed_fraction,
    }
    sys.stdout.write(json.dumps(content) + "\n")
    return 0


def run(words: list[str], folder: Path) -> tuple[float, float, str]:
    """Processor seconds, peak memory (MB) and standard output of a process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024.0, text


def measured(
    station: str,
    systems: str,
    rounds: int,
    *,
    ambiguities: str = "float",
    interval: float | None = None,
    stations: int = 1,
) -> dict[str, Any]:
    """Medians over the rounds: whole, without start-up, read, products, solve (s), memory (MB)."""
    words = [sys.executable, str(Path(__file__).resolve()), "--one", station, "--systems", systems]
    words += ["--ambiguities", ambiguities, "--stations", str(stations)]
    if interval is not None:
        words += ["--interval", f"{interval:g}"]
    found = []
    for _ in range(rounds):
        seconds, megabytes, text = run(words, REPOSITORY)
        content = json.loads(text)
        content["whole"] = seconds
        content["memory"] = megabytes
        content["without"] = [sum(lap.values()) for lap in content["laps"]]
        found.append(content)
    first = found[0]
    return {
        **{key: first[key] for key in ("enu_mm", "epochs", "observations", "fixed")},
        "whole": statistics.median(c["whole"] for c in found),
        "memory": max(c["memory"] for c in found),
        "start_up": statistics.median(c["start_up"] for c in found),
        "without": [statistics.median(c["without"][k] for c in found) for k in range(stations)],
        **{key: statistics.median(c["laps"][0][key] for c in found) for key in ("read", "products", "solve")},
    }


def row(label: str, result: dict[str, Any]) -> str:
    """A line of the table."""
    e, n, u = result["enu_mm"]
    return (
        f"| {label} | {result['whole']:.1f} | {result['without'][0]:.1f} | {result['read']:.2f} "
        f"| {result['products']:.2f} | {result['solve']:.2f} | {result['memory']:.0f} "
        f"| {e:.1f} / {n:.1f} / {u:.1f} | {result['fixed']:.0%} |\n"
    )


def rtklib(rounds: int, solution: str) -> dict[str, Any]:
    """rnx2rtkp over NIST's day: processor seconds (median), peak memory (MB), ENU minus truth (mm)."""
    import hatanaka
    import numpy as np

    from stations.formats.sp3 import read_sp3, write_sp3
    from transforms.geodetic import enu_matrix_at

    orbits_file, clocks_file, _ = FILES["NIST"]["products"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "obs.rnx").write_bytes(
            hatanaka.decompress((DATA / FILES["NIST"]["observations"]).read_bytes())
        )
        (folder / "igs20.atx").write_bytes(gzip.decompress((DATA / ANTEX).read_bytes()))
        (folder / "igs05.atx").write_bytes(gzip.decompress((DATA / ANTEX_OF_OLD_ANTENNAS).read_bytes()))
        navigation = DATA / "nist_2023001/BRDC00IGS_R_20230010000_01D_MN.rnx.gz"
        (folder / "nav.rnx").write_bytes(gzip.decompress(navigation.read_bytes()))
        orbits = read_sp3(DATA / orbits_file)
        write_sp3(_of_systems(orbits, "GE"), folder / "orbit.sp3")
        clock_lines = (
            gzip.decompress((DATA / clocks_file).read_bytes()).decode("ascii", "replace").splitlines()
        )
        kept = [line for line in clock_lines if line[:3] != "AS " or line[3] in "GE"]
        (folder / "clock.clk").write_text("\n".join(kept) + "\n")
        (folder / "options.conf").write_text(RTKLIB_OPTIONS.replace("SOLUTION", solution))
        words = ["rnx2rtkp", "-k", "options.conf", "-o", "out.pos"]
        words += ["obs.rnx", "nav.rnx", "orbit.sp3", "clock.clk"]
        found = [run(words, folder) for _ in range(rounds)]
        lines = [line for line in (folder / "out.pos").read_text().splitlines() if line[:1] not in "%"]
    truth = np.array(TRUTH_ECEF_M["NIST"])
    position = np.array([float(value) for value in lines[-1].split()[2:5]])
    return {
        "seconds": statistics.median(seconds for seconds, _, _ in found),
        "memory": max(megabytes for _, megabytes, _ in found),
        "enu_mm": enu_matrix_at(truth) @ (position - truth) * 1e3,
    }


def _of_systems(orbits: Any, systems: str) -> Any:
    from dataclasses import replace

    keep = [k for k, satellite in enumerate(orbits.satellites) if satellite[0] in systems]
    changed: dict[str, Any] = {"satellites": tuple(orbits.satellites[k] for k in keep)}
    n = len(orbits.satellites)
    for name, value in vars(orbits).items():
        if getattr(value, "ndim", 0) >= 2 and value.shape[1] == n:
            changed[name] = value[:, keep]
    if getattr(orbits, "accuracy_m", None):
        changed["accuracy_m"] = {s: a for s, a in orbits.accuracy_m.items() if s[0] in systems}
    return replace(orbits, **changed)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Time of precise point positioning over a day.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=sorted(FILES), help="solve in this process and print JSON")
    parser.add_argument("--systems", default="GEC")
    parser.add_argument("--ambiguities", default="float")
    parser.add_argument("--interval", type=float)
    parser.add_argument("--stations", type=int, default=1)
    arguments = parser.parse_args()
    out = sys.stdout.write
    if not DATA.is_dir():
        out(f"no real data sets at {DATA}: set JIZHUN_REAL_DATA\n")
        return 0
    if arguments.one:
        return one_process(arguments)
    rounds = arguments.rounds
    out("Processor seconds of one process, median; memory is the peak.\n\n")
    out("| run | with start-up | without | read | products, antennas | solve | MB | E / N / U mm | fixed |\n")
    out("|---|---|---|---|---|---|---|---|---|\n")
    nist = measured("NIST", "GEC", rounds, interval=30.0)
    out(row("NIST, 30 s, GEC, float", nist))
    pair = measured("NIST", "GE", rounds, interval=30.0)
    out(row("NIST, 30 s, GE, float", pair))
    bor1 = measured("BOR1", "GEC", rounds)
    out(row("BOR1, 300 s, GEC, float", bor1))
    fixed = measured("BOR1", "GEC", rounds, ambiguities="fix")
    out(row("BOR1, 300 s, GEC, fixed", fixed))
    out(f"\nfixing adds {(fixed['solve'] / bor1['solve'] - 1.0):.0%} to the solving of BOR1, ")
    out(f"{(fixed['without'][0] / bor1['without'][0] - 1.0):.0%} to the whole without start-up\n")
    if shutil.which("rnx2rtkp") is None:
        out("rnx2rtkp (Debian package rtklib) is not installed: no peer in this run\n")
    else:
        for solution in ("forward", "combined"):
            peer = rtklib(rounds, solution)
            e, n, u = peer["enu_mm"]
            out(f"RTKLIB, NIST, 30 s, GE, float, {solution}: {peer['seconds']:.1f} s, ")
            out(f"{peer['memory']:.0f} MB, ")
            out(f"{e:.1f} / {n:.1f} / {u:.1f} mm; ratios of processor time to it: ")
            for label, ours in (("GE", pair), ("GEC", nist)):
                with_start_up = ours["whole"] / peer["seconds"]
                without = ours["without"][0] / peer["seconds"]
                out(f"ours {label} {with_start_up:.2f} with start-up, {without:.2f} without; ")
            out("\n")
    _interval_table(out, rounds, nist)
    _station_table(out, rounds)
    return 0


def _interval_table(out: Any, rounds: int, finest: dict[str, Any]) -> None:
    import numpy as np

    out("\n| interval s | epochs | solve s | MB | |\n|---|---|---|---|---|\n")
    measurements = {s: measured("NIST", "GEC", rounds, interval=s) for s in (300.0, 120.0, 60.0)}
    measurements[30.0] = finest
    for interval, result in measurements.items():
        out(f"| {interval:g} | {result['epochs']} | {result['solve']:.2f} ")
        out(f"| {result['memory']:.0f} | measured |\n")
    epochs = np.array([result["epochs"] for result in measurements.values()], dtype=np.float64)
    design = np.stack([np.ones_like(epochs), epochs], axis=-1)
    lines = {
        key: np.linalg.lstsq(design, np.array([r[key] for r in measurements.values()]), rcond=None)[0]
        for key in ("solve", "memory")
    }
    for interval in (15.0, 5.0, 1.0):
        n = finest["epochs"] * 30.0 / interval
        solve, memory = (float(line[0] + line[1] * n) for line in (lines["solve"], lines["memory"]))
        out(f"| {interval:g} | {n:.0f} | {solve:.0f} | {memory:.0f} | extrapolated, straight line |\n")


def _station_table(out: Any, rounds: int) -> None:
    many = measured("NIST", "GEC", rounds, interval=30.0, stations=4)
    first = many["start_up"] + many["without"][0]
    out("\nstations of one day in one process (the day of NIST four times), GEC, 30 s:\n\n")
    out("| station | seconds | share of the first without start-up | with start-up |\n|---|---|---|---|\n")
    for k, seconds in enumerate(many["without"]):
        out(f"| {k + 1} | {seconds:.2f} | {seconds / many['without'][0]:.0%} | ")
        out(f"{(first if k == 0 else seconds) / first:.0%} |\n")
    out(f"\npeak memory with four stations: {many['memory']:.0f} MB\n")


if __name__ == "__main__":
    sys.exit(main())
