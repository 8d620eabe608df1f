"""Every observation file of the real data sets against a plain-text scan that shares no code with the reader.

The scan cuts lines by the columns of the standard, one value at a time, and knows nothing of damage: where a
file is broken on purpose, the difference is told in DIFFERENCES.
"""

import numpy as np
import pytest

from stations.formats.compression import read_head, read_salvaged
from stations.formats.georinex_adapter import read_through_georinex
from stations.formats.rinex2_codes import rinex3_code
from stations.formats.rinex_observation import read_observations
from transforms.errors import FormatError

VARIABLES = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}
VALUES_SCANNED = 60_000  # of a long file every n-th epoch, so that the scan takes about half a second

# File -> values that the scan sees and the reader does not take, and why.
DIFFERENCES = {
    "parsers/gognss/hubu00DEU_R_20230931500_01H_30S_MO.crx.gz": (
        5686,
        "Compact RINEX damaged at its line 1267: the ten epochs before it are not to be trusted",
    ),
    "parsers/georinex/badtime.10o": (44, "an epoch of which the time cannot be read"),
    "parsers/nav-solutions/rovn0010.21o.gz": (160, "the file is cut off in its last epoch"),
    "parsers/gnsstk/test_input_rinex3_obs_BadLineSize.15o.gz": (1, "a number with blanks in it"),
}
# Files of observations that cannot be read, and what is said of them.
REFUSED = {
    "parsers/georinex/blank.10o": "no epoch of observations could be read",
    "parsers/georinex/blank3.10o": "no epoch of observations could be read",
    "parsers/georinex/wrong_obs2_count.10o": "6 observation types announced for the file, 7 listed",
    "parsers/nav-solutions/cs2rx18164.gz": "unknown time system 'DOR'",  # DORIS, no GNSS
}
FOLDERS = {  # and how many files of observations each holds
    "ajac_2024209_210": 2,
    "bor1_2024035": 1,
    "eastasia_2026117": 4,
    "jfng_2019045": 1,
    "nist_2023001": 1,
    "nl_2021001": 5,
    "wettzell_2020177": 2,
    "zimm_2021001_004": 4,
    "parsers/georinex": 22,
    "parsers/gnsstk": 13,
    "parsers/gognss": 8,
    "parsers/midgard": 2,
    "parsers/nav-solutions": 20,
    "parsers/sidereon": 3,
}


def scan(text):
    """(epochs, {(epoch number, satellite, code): text of the value}) of RINEX 2, 3 or 4."""
    lines = text.split("\n")
    types, at, system = {}, 0, ""
    version_2 = lines[0].lstrip()[0] == "2"

    def header_line(line):
        nonlocal system
        label = line[60:].strip()
        if label == "SYS / # / OBS TYPES":
            if line[0] != " ":
                system = line[0]
                types[system] = []
            types[system] += line[6:60].split()
        elif label == "# / TYPES OF OBSERV":
            if line[:6].strip():
                types[""] = []
            types[""] += line[6:60].split()

    while "END OF HEADER" not in lines[at]:
        header_line(lines[at])
        at += 1
    at += 1
    step = max(len(text) // 16 // VALUES_SCANNED, 1)
    epochs, values = [], {}
    while at < len(lines):
        line = lines[at]
        mark = line[28:29] if version_2 else line[31:32]
        size = line[29:32] if version_2 else line[32:35]
        time = line[:26] if version_2 else line[2:29]
        if not mark.isdigit() or not size.strip().isdigit() or (not version_2 and line[0] != ">"):
            at += 1
            continue
        count, at = int(size), at + 1
        if mark in "2345":
            for extra in lines[at : at + count]:
                header_line(extra)
            at += count
            continue
        names = []
        if version_2:
            names = [line[32 + 3 * k : 35 + 3 * k] for k in range(min(count, 12))]
            while len(names) < count:
                names += [lines[at][32 + 3 * k : 35 + 3 * k] for k in range(min(count - len(names), 12))]
                at += 1
        chosen = mark in "01" and len(epochs) % step == 0
        for k in range(count):
            if version_2:
                codes, n_lines = types[""], -(-len(types[""]) // 5)
                fields = "".join(f"{x.rstrip():<80s}" for x in lines[at : at + n_lines]) if chosen else ""
                name = (names[k][0].strip() or "G") + names[k][1:].replace(" ", "0")
                at += n_lines
            else:
                name, fields, codes = (
                    lines[at][:3].replace(" ", "0"),
                    lines[at][3:],
                    types.get(lines[at][:1], []),
                )
                at += 1
            if chosen:
                for j, code in enumerate(codes):
                    field = fields[16 * j : 16 * j + 14].strip()
                    if field and field.strip("-0."):
                        values[len(epochs), name, code] = field
        if mark in "01":
            epochs.append(time)
    return epochs, values


def compare(path):
    """(values seen by both and equal, seen by the scan only, unequal, seen by the reader only)."""
    text = read_salvaged(path)[0].decode("latin-1").replace("\r", "")
    epochs, values = scan(text)
    observations = read_observations(path)
    data = observations.data
    version_2 = observations.header.rinex_version[0] == "2"
    # Which phase goes with which code follows from the codes that the system is observed with.
    types = {system: {c for _, s, c in values if s[0] == system} for system in {s[0] for _, s, _ in values}}
    names = {}
    for _, satellite, code in values:
        if (satellite[0], code) not in names:
            new = rinex3_code(satellite[0], code, types[satellite[0]]) if version_2 else code
            if (
                satellite[0] == "C"
                and new
                and new[1:] in ("1I", "1Q", "1X")
                and observations.header.rinex_version == "3.02"
            ):
                new = f"{new[0]}2{new[2]}"
            names[satellite[0], code] = new
    in_order = len(epochs) == data.sizes["epoch"]
    satellites = {s: i for i, s in enumerate(observations.satellites)}
    signals = {str(s): i for i, s in enumerate(data.signal.values)}
    tables = {name: data[name].values for name in data}
    readings = {t: i for i, t in enumerate(observations.epochs.datetime64().tolist())}
    equal = unequal = scan_only = 0
    scanned_rows = set()
    row_of = {}
    for (epoch, satellite, code), field in values.items():
        if epoch not in row_of:
            row_of[epoch] = epoch if in_order else readings.get(nanoseconds(epochs[epoch]))
        row, name = row_of[epoch], names[satellite[0], code]
        if row is not None:
            scanned_rows.add(row)
        column, signal = satellites.get(satellite), signals.get(name[1:]) if name else None
        if row is None or column is None or signal is None or VARIABLES[name[0]] not in tables:
            scan_only += 1
            continue
        ours = tables[VARIABLES[name[0]]][row, column, signal]
        try:
            expected = ours.dtype.type(float(field))
        except ValueError:
            expected = np.nan
        if ours == expected:
            equal += 1
        elif np.isnan(ours):
            scan_only += 1
        else:
            unequal += 1
    rows = sorted(scanned_rows)
    ours = sum(int(np.isfinite(tables[n][rows]).sum()) for n in set(VARIABLES.values()) if n in tables)
    return equal, scan_only, unequal, ours - equal - unequal


def nanoseconds(reading):
    """Nanoseconds since 1970 of an epoch as written, or None where it is damaged."""
    parts = reading.split()
    if len(parts) != 6 or not all(p.replace(".", "").isdigit() for p in parts):
        return None
    year, month, day, hour, minute = (int(p) for p in parts[:5])
    year += 0 if len(parts[0]) == 4 else 2000 if year < 80 else 1900
    whole = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}", "ns")
    return int(whole.astype(np.int64)) + round(float(parts[5]) * 1e9)


def files_of_observations(folder):
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        lines = read_head(path).split(b"\n", 3)
        first = lines[2] if b"CRINEX VERS" in lines[0] and len(lines) > 2 else lines[0]
        if b"RINEX VERSION / TYPE" in first and first[20:21] == b"O":
            yield path


@pytest.mark.real_data
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_value_of_every_file_is_what_a_plain_scan_sees(real_data, folder):
    paths = list(files_of_observations(real_data / folder))
    assert len(paths) >= FOLDERS[folder]
    for path in paths:
        name = f"{folder}/{path.name}"
        if name in REFUSED:
            with pytest.raises(FormatError, match=REFUSED[name]):
                read_observations(path)
            continue
        missing, why = DIFFERENCES.get(name, (0, ""))
        equal, scan_only, unequal, reader_only = compare(path)
        assert (scan_only, unequal, reader_only) == (missing, 0, 0), (name, why)
        assert equal > 5, name


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("name", "systems"),
    [
        ("parsers/georinex/demo3.10o.gz", "GRE"),
        ("parsers/georinex/ABMF00GLP_R_20181330000_01D_30S_MO.zip", "GREC"),
        ("parsers/sidereon/LAMA00POL_S_20261881407_04E_01S_MO.rnx.gz", "GR"),
        ("parsers/gnsstk/test_input_rinex3_76193040.14o.gz", "GR"),
        ("parsers/midgard/rinex3_obs.gz", "GREC"),
    ],
)
def test_georinex_reads_the_same_of_small_files(real_data, name, systems, tmp_path):
    plain = tmp_path / "plain.rnx"
    plain.write_bytes(read_salvaged(real_data / name)[0])
    ours = read_observations(plain)
    present = {s[0] for s in ours.satellites}
    systems = [s for s in systems if s in present]
    readings = ours.epochs.datetime64()
    theirs = read_through_georinex(plain, systems=systems, first=readings[0], last=readings[-1])
    mine = ours.data.sel(epoch=theirs.epoch, satellite=theirs.satellite, signal=theirs.signal)
    seen = 0
    for variable in set(VARIABLES.values()):
        expected = theirs[variable].values
        if variable not in mine:
            assert np.isnan(expected).all()
            continue
        values = mine[variable].values
        expected = np.where(expected == 0.0, np.nan, expected).astype(values.dtype)  # 0.0 says "missing"
        np.testing.assert_array_equal(values, expected)
        seen += int(np.isfinite(expected).sum())
    assert seen > 50
