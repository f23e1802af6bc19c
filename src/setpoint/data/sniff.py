"""How a text table is written, told from a sample of its bytes: encoding, separator, decimal sign, header."""

import csv
import re
from dataclasses import dataclass

from setpoint.data.cells import NUMBER

SEPARATORS = (",", ";", "\t", "|")
MISSING_TOKENS = (
    "?",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NULL",
    "null",
    "NaN",
    "nan",
    "-",
    "--",
    ".",
    "None",
    "none",
    "missing",
)
"""Texts that mean a missing value wherever a column is otherwise of numbers or dates; see `common_tokens`."""

COMMON_TOKENS = frozenset({"?", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "NaN", "nan"})
"""Those that mean a missing value among texts too; `none` and `unknown` can be answers there."""

_LINES = 200  # lines of the sample that are looked at
_COMMA_NUMBER = re.compile(r"^[+-]?\d{1,3}(?:\.\d{3})*,\d+$|^[+-]?\d+,\d+$")
_NUMBER = re.compile(NUMBER)


@dataclass(frozen=True)
class TextForm:
    """How a text table is written.

    Args:
        encoding: `utf-8`, `utf-8-sig` or `cp1252`.
        separator: What stands between two cells.
        decimal: What starts the decimals, `.` or `,`.
        row_names: Rows have one cell more than the header: R writes row names without a header.
    """

    encoding: str = "utf-8"
    separator: str = ","
    decimal: str = "."
    row_names: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from the usual, in words for people."""
        found = []
        if self.encoding != "utf-8":
            found.append(f"text is {self.encoding}, not utf-8")
        if self.separator != ",":
            found.append(f"cells are separated by {self.separator!r}")
        if self.decimal != ".":
            found.append("decimals start with a comma")
        if self.row_names:
            found.append("rows begin with a row name that the header does not have; it is left out")
        return tuple(found)


def is_binary(sample: bytes) -> bool:
    """Return whether bytes are no text: they hold a zero byte, or mostly control characters."""
    if b"\x00" in sample:
        return True
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in sample[:4096])  # noqa: PLR2004 - ASCII
    return controls > len(sample[:4096]) * 0.05


def sniff(sample: bytes) -> TextForm:
    r"""Return how a text table is written.

    Args:
        sample: The first bytes of the file, from its start; the last line may be cut.

    Raises:
        ValueError: The bytes are no text.

    Example:
        >>> sniff(b'a;b\n1,5;2\n3,5;4\n')
        TextForm(encoding='utf-8', separator=';', decimal=',', row_names=False)
    """
    if is_binary(sample):
        raise ValueError("these bytes are no text")
    encoding = sniff_encoding(sample)
    text = sample.decode(encoding, errors="ignore")
    cut = text.rfind("\n")
    lines = (text[:cut] if cut > 0 else text).splitlines()[:_LINES]
    lines = [line for line in lines if line.strip()]
    if not lines:
        return TextForm(encoding=encoding)
    separator = _separator(lines)
    rows = list(csv.reader(lines, delimiter=separator))
    decimal = "," if separator != "," and _has_comma_numbers(rows[1:]) else "."
    widths = {len(row) for row in rows[1:]}
    return TextForm(encoding, separator, decimal, row_names=widths == {len(rows[0]) + 1})


def sniff_encoding(data: bytes) -> str:
    """Return `utf-8-sig`, `utf-8`, or `cp1252` for bytes that are not UTF-8 (a cut last character aside)."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return (
            "utf-8"
            if error.start >= len(data) - 3 and error.reason == "unexpected end of data"
            else "cp1252"
        )
    return "utf-8"


def _separator(lines: list[str]) -> str:
    """The separator that cuts the most lines into the same number of cells, and into more cells at a tie."""

    def fitness(separator: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        body = widths[1:] or widths
        common = max(set(body), key=body.count)
        return (widths.count(common) / len(widths) if common > 1 else 0.0), common

    return max(SEPARATORS, key=fitness)


def _has_comma_numbers(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row if cell.strip()]
    commas = sum(bool(_COMMA_NUMBER.match(cell)) for cell in cells)
    points = sum(bool(_NUMBER.match(cell)) and "." in cell for cell in cells)
    return commas > points
