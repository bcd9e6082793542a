"""What every store asks of keys and commits before it keeps them."""

from collections.abc import Sequence

from acumatica_b2b.errors import StoreError
from acumatica_b2b.protocols import Commit, LogKey

LONGEST_KEY = 255
HIGHEST_VERSION = 2**63 - 1
"""The greatest integer that SQLite, and most databases, keep."""


def require_keys(keys: Sequence[LogKey]) -> None:
    """Pass when each is 1 to 255 printable ASCII characters.

    Raises:
        StoreError: it is not; no database could be relied on to keep it as it is.

    """
    for key in keys:
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            fault = f"has {len(key)}" if key.isascii() and key.isprintable() else "has others"
            message = f"sync log key {key[:80]!a} {fault}; give it 1 to {LONGEST_KEY} printable ASCII characters"
            raise StoreError(message)


def require_commits(commits: Sequence[Commit]) -> None:
    """Pass when each has a proper key, a version from 1 on and a body that UTF-8 can write.

    Raises:
        StoreError: it has not.

    """
    require_keys([commit.key for commit in commits])
    for commit in commits:
        if not 0 < commit.version <= HIGHEST_VERSION:
            message = f"commit to {commit.key!r} has version {commit.version}; count versions from 1"
            raise StoreError(message)
        if not _is_unicode(commit.body):
            message = f"commit {commit.version} to {commit.key!r} holds half a surrogate pair; write it escaped"
            raise StoreError(message)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
