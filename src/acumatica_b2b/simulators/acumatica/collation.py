"""How the database compares and orders texts; a client can't ask it, and finds out by its rows."""

import enum
import string
from typing import Final

_PUNCTUATION: Final = {ord(char): place for place, char in enumerate(" " + string.punctuation, 1)}
_LIGHT: Final = "-'"
_LEFT_OUT: Final = str.maketrans("", "", _LIGHT)
_LAST: Final = str.maketrans(dict.fromkeys(_LIGHT, chr(0x10FFFF)))


class Collation(enum.Enum):
    """What counts as the same text, and which comes first. Blanks at the end never count."""

    CASE_INSENSITIVE = "case-insensitive"
    """As most SQL Servers: `a` is `A`, punctuation comes first, a hyphen is a sign like others."""
    WORD_SORT = "word sort"
    """The same, but hyphens and apostrophes count only between texts that are equal without them."""
    BINARY = "binary"
    """By code points: `B` comes before `a`."""

    def fold(self, text: str) -> str:
        """Return what parts of texts are compared by."""
        return text if self is Collation.BINARY else text.casefold()

    def key(self, text: str) -> str:
        """Return what whole texts are compared and ordered by.

        >>> sorted(["b", "A_2", "a1", "B "], key=Collation.CASE_INSENSITIVE.key)
        ['A_2', 'a1', 'b', 'B ']
        >>> sorted(["co-op", "cool", "coop"], key=Collation.WORD_SORT.key)
        ['cool', 'coop', 'co-op']
        """
        bare = text.rstrip()
        match self:
            case Collation.BINARY:
                return bare
            case Collation.CASE_INSENSITIVE:
                return bare.casefold().translate(_PUNCTUATION)
            case Collation.WORD_SORT:
                folded = bare.casefold()
                return f"{folded.translate(_LEFT_OUT).translate(_PUNCTUATION)}\0{folded.translate(_LAST)}"
