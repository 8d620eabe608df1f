"""The mark that every product of a simulated region carries, so that none passes for an observed one."""

import csv
from pathlib import Path
from typing import Final

from datum.formats.csv_table import write_table

SIMULATED_TEXT: Final = "Simulated 模拟数据: no real observation stands behind these values."
# SINEX and PROJ files are ASCII.
SIMULATED_ASCII: Final = "SIMULATED DATA: no real observation stands behind these values."


def mark_tables(folder: Path) -> None:
    """Add the column `simulated` (yes) to every CSV table of a product's folder."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        write_table(path, (*header, "simulated"), ((*row, "yes") for row in rows))
