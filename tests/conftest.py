"""What a session tells at its end; the process that collects the results of all others loads this file only."""

from tests.engine.crash_counts import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]
