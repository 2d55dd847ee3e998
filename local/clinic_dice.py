"""SQL expressions whose value depends on a row number and a seed only, so that the server makes up the rows itself.

`CRC32` of a multiple of the row number is the die: cheap, the same on every server, and even enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quote(text: str) -> str:
    """A string as an SQL literal, whatever it holds."""
    return "'" + text.translate(_ESCAPES) + "'"


def sentence(pattern: str, *values: str) -> str:
    """A text with the values of expressions in place of its question marks."""
    first, *others = map(quote, pattern.split("?"))
    pairs = zip(values, others, strict=True)
    return f"CONCAT({', '.join([first, *(part for pair in pairs for part in pair)])})"


class Dice:
    """Rolls for the rows of one table; each call of a method is another die, and the same calls give the same dice."""

    def __init__(self, seed: int, table: str, row: str = "seq") -> None:
        self._key = f"{seed}/{table}"
        self._rolls = 0
        self.row = row

    def roll(self, row: str | None = None) -> str:
        """A number below 2^32. `row` replaces the row number, for a roll that other tables can repeat."""
        self._rolls += 1
        digest = hashlib.sha256(f"{self._key}/{self._rolls}".encode()).digest()
        factor = int.from_bytes(digest[:4]) % 999_983 * 2 + 1
        offset = int.from_bytes(digest[4:8])
        return f"CRC32(({row or self.row})*{factor}+{offset})"

    def below(self, limit: int | str, row: str | None = None) -> str:
        """A whole number from 0 up to but without the limit, which may be an expression."""
        return f"({self.roll(row)} % {limit})"

    def number(self, low: int, high: int) -> str:
        """A whole number between the two, both included."""
        return f"({low} + {self.roll()} % {high - low + 1})"

    def decimal(self, low: int, high: int, places: int) -> str:
        """A number between the two with so many decimal places."""
        scale = 10**places
        return f"ROUND({self.number(low * scale, high * scale)} / {scale}, {places})"

    def one_of(self, choices: Sequence[str]) -> str:
        """One of the strings."""
        return pick(self.below(len(choices)), choices)

    def sometimes(self, percent: int, then: str, otherwise: str = "NULL") -> str:
        """One expression in so many rows of a hundred, the other in the rest."""
        return f"IF({self.below(100)} < {percent}, {then}, {otherwise})"

    def hex(self) -> str:
        """32 hexadecimal digits."""
        return f"MD5({self._unique()})"

    def hex64(self) -> str:
        """64 hexadecimal digits."""
        return f"SHA2({self._unique()}, 256)"

    def secret(self) -> str:
        """Something encrypted: Base64 of 24 bytes with a mark of its version."""
        return f"CONCAT('v1:', TO_BASE64(LEFT(UNHEX(SHA2({self._unique()}, 256)), 24)))"

    def uuid(self) -> str:
        """36 characters of a UUID's form."""
        return f"INSERT(INSERT(INSERT(INSERT(MD5({self._unique()}),9,0,'-'),14,0,'-'),19,0,'-'),24,0,'-')"

    def person(self, first: Sequence[str], middle: Sequence[str], last: Sequence[str]) -> str:
        """A person's name."""
        return f"CONCAT_WS(' ', {self.one_of(first)}, {self.sometimes(60, self.one_of(middle))}, {self.one_of(last)})"

    def _unique(self) -> str:
        self._rolls += 1
        return f"CONCAT({quote(f'{self._key}/{self._rolls}/')}, {self.row})"


def pick(index: str, choices: Sequence[str]) -> str:
    """The choice at an index counted from 0."""
    return f"ELT(1 + {index}, {', '.join(map(quote, choices))})"
