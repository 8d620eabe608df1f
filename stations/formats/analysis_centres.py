"""Which analysis centre a file is from: the agency it names, as the IGS's three-letter code."""

import re
from typing import Final

# Agencies as SP3, RINEX clock and Bias-SINEX headers write them -> code in the IGS's long file names
# (Guidelines for Long Product Filenames in the IGS, version 2.0, table 1). Two names stand for one
# centre where its orbit, clock and bias files name themselves differently.
_CODE_OF_AGENCY: Final = {
    "AIUB": "COD",
    "CODE": "COD",
    "GRGS": "GRG",
    "CNES": "GRG",
    "CLS": "GRG",
    "WHU": "WUM",
    "GFZ": "GFZ",
    "GBM": "GFZ",
    "ESOC": "ESA",
    "NRCAN": "EMR",
    "NRCA": "EMR",
    "JAXA": "JAX",
    "SHAO": "SHA",
    "IGS": "IGS",
    "IGSA": "IGS",
    "ACC": "IGS",
    "TUM": "TUM",
}
_LONG_NAME: Final = re.compile(
    r"^(?P<centre>[A-Z0-9]{3})\d(?P<campaign>[A-Z0-9]{3})(?P<type>[A-Z0-9]{3})_\d{11}_\w{3}_\w{3}_\w{3}\.",
    re.I,
)


def centre_code(agency: str) -> str:
    """The three-letter code of an agency's name, or the first three letters where it is not in the table."""
    name = agency.strip().upper()
    return _CODE_OF_AGENCY.get(name, name[:3])


def series_of_name(name: str) -> str:
    """Series that a long IGS file name tells ("COD0MGXFIN" -> "CODMGXFIN"), or "" for any other name."""
    match = _LONG_NAME.match(name)
    if match is None:
        return ""
    return f"{match['centre']}{match['campaign']}{match['type']}".upper()
