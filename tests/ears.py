"""Hears what is logged, for tests of what may be."""

import logging
from collections.abc import Generator
from contextlib import contextmanager


class _Ears(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, as it would be written."""
        self.lines.append(f"{record.name}: {self.format(record)}")


@contextmanager
def listening() -> Generator[list[str]]:
    """Give the lines that anybody logs in the block, at every level."""
    root, ears = logging.getLogger(), _Ears()
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        yield ears.lines
    finally:
        root.setLevel(level)
        root.removeHandler(ears)
