"""Syncs that signal 9 ends at random instants: over real HTTP, from a real file, of a process of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.systems.kills import ROOT, Kill, Office, Twin, World, killed, people, references

KILLS = int(os.environ.get("ACUMATICA_B2B_KILLS", "20"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no signal 9 here")


def test_a_sync_may_be_killed_at_any_instant(tmp_path: Path) -> None:
    """After each kill the next sync ends where a twin that was never killed does, and nothing was ever unsafe."""
    tally = killed(Random(KILLS), tmp_path, KILLS)
    print(f"{tally.kills} kills ({tally.moments}) of {tally.syncs} syncs in {tally.worlds} worlds")  # noqa: T201  # part of the proof
    assert tally.kills == KILLS


def test_the_next_sync_waits_for_the_lease_of_a_killed_one(tmp_path: Path) -> None:
    """In real time, with a short lease, the command line takes up what a killed one left, and says why it waits."""
    with World(tmp_path, lease=3.0) as world:
        twin = Twin()
        Office(Random(1), (world.tenant, twin.tenant)).open(1)
        assert world.sync(Kill(16, "unanswered", 0.0), pause=0.0) == -signal.SIGKILL
        begin = "from acumatica_b2b.cli import main; main()"
        command = [sys.executable, "-c", begin, "sync", "--all", "--config", str(world.config)]
        ended = subprocess.run(  # noqa: S603  # our own command
            command, cwd=ROOT, env=world.environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
        twin.sync()
        assert people(world.shop) == people(twin.shop)
        assert references(world) == world.wire.complaints == []
