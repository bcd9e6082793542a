import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from acumatica_b2b.cli.stage import Stage, staged
from acumatica_b2b.cli.story import FACEBOOK, Story, mixed
from acumatica_b2b.http import Request, Response
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.simulators import AcumaticaSimulator
from acumatica_b2b.simulators.bigcommerce import BigCommerceSimulator
from tests import oracle
from tests.cli.conftest import COMMAND, Desk, play, world

POLICY = SyncPolicy(connection_types=frozenset({"B2B"}))
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals end a process there without asking it")


@contextmanager
def simulated(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `simulate` in a process of its own."""
    command = [*COMMAND, "simulate", "--customers", "3", *arguments]
    with subprocess.Popen(  # noqa: S603  # our own
        command,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(folder: Path, environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run another command beside it."""
    return subprocess.run(  # noqa: S603  # our own
        [*COMMAND, *arguments], cwd=folder, env=os.environ | environ, capture_output=True, text=True, check=False
    )


def first_line(process: "subprocess.Popen[str]") -> Any:
    """Return the one line of JSON that `simulate --json` prints."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


# ------------------------------------------------------------------ two terminals
def test_the_printed_configuration_works(tmp_path: Path) -> None:
    """With what `simulate` prints, plan says 10, sync 0, plan 0, a second sync writes nothing, log tells the story."""
    with simulated(tmp_path, "--requests-per-minute", "0", "--json") as process:
        printed = first_line(process)
        (tmp_path / "acumatica-b2b.toml").write_text(printed["config"], encoding="utf-8")
        environ = printed["environment"]
        codes = [run(tmp_path, environ, command).returncode for command in ("plan", "sync", "plan")]
        assert codes == [10, 0, 0]
        second = json.loads(run(tmp_path, environ, "sync", "--json").stdout)
        assert (second["ok"], second["steps"]) == (True, [])
        log = run(tmp_path, environ, "log", FACEBOOK)
        assert (log.returncode, "commerce reference ID written" in log.stdout) == (0, True)


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_it_ends_when_it_is_told_to(tmp_path: Path, name: str) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end `simulate` with 0, its temporary files gone."""
    with simulated(tmp_path, "--json") as process:
        log = Path(first_line(process)["config"].partition("file = '")[2].partition("'")[0])
        assert log.parent.exists()
        process.send_signal(signal.Signals[name])
        assert process.wait(20) == 0
        assert not log.parent.exists()


def test_people_are_told_what_to_do_next(tmp_path: Path) -> None:
    """Without --json it prints both addresses, the configuration, the secrets to export and what to run then."""
    with simulated(tmp_path, "--write-config", "trial.toml", "--requests-per-minute", "0") as process:
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            text += process.stdout.readline()
    assert "export ACUMATICA_PASSWORD=simulated-password" in text
    assert "acumatica-b2b sync --config trial.toml" in text
    assert (tmp_path / "trial.toml").read_text(encoding="utf-8") in text


def test_a_configuration_of_ones_own_is_not_overwritten(tmp_path: Path) -> None:
    """`--write-config` replaces only what an earlier `simulate` wrote, and says so with 2."""
    mine = tmp_path / "acumatica-b2b.toml"
    mine.write_text("# mine", encoding="utf-8")
    result = run(tmp_path, {}, "simulate", "--write-config", mine.name)
    assert (result.returncode, "stays as it is" in result.stderr) == (2, True)
    assert mine.read_text(encoding="utf-8") == "# mine"
    result = run(tmp_path, {}, "simulate", "--write-config", "none/there.toml")
    assert (result.returncode, "can't be written" in result.stderr) == (2, True)


def test_a_port_can_be_chosen(tmp_path: Path) -> None:
    """A port that is given is served; one that is taken is named, and the exit code is 2."""
    with simulated(tmp_path, "--json") as process:
        url = httpx.URL(first_line(process)["acumatica"])
        result = run(tmp_path, {}, "simulate", "--port-bigcommerce", str(url.port))
        assert (result.returncode, f"port {url.port} can't be served" in result.stderr) == (2, True)
        with simulated(tmp_path, "--json", "--port-acumatica", "0") as other:
            assert first_line(other)["acumatica"] != str(url)


def test_bigcommerce_limits_requests_unless_told_otherwise() -> None:
    """The simulated shop takes as many requests a minute as it was given, or any number."""
    story = mixed(0, seed=1)
    with staged(story.dataset, requests_per_minute=2) as stage, httpx.Client(trust_env=False) as client:
        headers = dict(stage.bigcommerce.credentials)
        codes = [client.get(f"{stage.bigcommerce_url}/companies", headers=headers).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    with staged(story.dataset) as stage:
        assert stage.bigcommerce.requests_per_minute is None


def test_facebook_is_told_apart_from_the_made_up_customers() -> None:
    """However many customers are made up, Facebook's records are its own, and none of its numbers is taken."""
    story = mixed(300, seed=2)
    with staged(story.dataset) as stage:
        play(story, stage)
        facebook = stage.acumatica.customer(FACEBOOK)
        names = [contact.first_name for contact in stage.acumatica.contacts_of(FACEBOOK)]
    assert (facebook.name, names) == ("Facebook", ["Mark", "Priya", "Tom"])
    numbers = [contact.id for contact in story.dataset.contacts]
    assert len(set(numbers)) == len(numbers)


# ------------------------------------------------------------------ cut off
def cut_off(desk: Desk, system: type[Any], writes: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a sync that gets a signal at a write of one system, the answer lost; return how it ended."""
    handle, due, started = system.handle, iter([False] * (writes - 1) + [True]), threading.Event()

    def handled(self: Any, request: Request) -> Response:
        response: Response = handle(self, request)
        if request.method != "GET" and "/auth/" not in request.url and next(due, False):
            started.wait(10)
            process.send_signal(number)
            if number == signal.SIGKILL:
                raise ConnectionError
        return response

    monkeypatch.setattr(system, "handle", handled)
    command = [*COMMAND, "sync", "--config", str(desk.file)]
    with subprocess.Popen(  # noqa: S603  # our own
        command, env=os.environ | desk.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        started.set()
        said = process.communicate(timeout=60)[1]
    monkeypatch.setattr(system, "handle", handle)
    assert "Traceback" not in said
    return process.returncode


@posix
@pytest.mark.parametrize(
    ("system", "writes"), [(BigCommerceSimulator, 1), (BigCommerceSimulator, 5), (AcumaticaSimulator, 6)]
)
def test_a_killed_sync_is_taken_up_again(
    desk: Desk, system: type[Any], writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync killed half-way and run again ends right, without a duplicate; the next one writes nothing."""
    desk.configure("lease = 20.0", "lease = 2.0")
    assert cut_off(desk, system, writes, signal.SIGKILL, monkeypatch) == -signal.SIGKILL
    stage = desk.stage
    again = desk.run("sync")
    assert again.exit_code == 0, again.output
    customers, companies = world(stage)
    assert oracle.check(customers, companies, POLICY) == []
    uuids = [company.uuid for company in stage.bigcommerce.companies.values()]
    addresses = [(address.company_id, address.external_id) for address in stage.bigcommerce.addresses.values()]
    assert len(set(uuids)) == len(uuids)
    assert len(set(addresses)) == len(addresses)
    before = stage.acumatica.writes, stage.bigcommerce.writes
    assert desk.run("sync").exit_code == 0
    assert (stage.acumatica.writes, stage.bigcommerce.writes) == before


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_sync_signs_out(
    desk: Desk, number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends a sync with 130, SIGTERM with 143; either signs out of Acumatica first."""
    assert cut_off(desk, AcumaticaSimulator, 3, number, monkeypatch) == code
    assert desk.stage.acumatica.open_sessions == 0


def test_many_cut_off_customers_are_no_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many customers a killed sync left behind, the next one waits for their leases and finishes."""
    story: Story = mixed(40, seed=3)
    with staged(story.dataset) as stage:
        play(story, stage)
        desk = Desk(tmp_path, stage, stage.environ)
        desk.configure("lease = 20.0", "lease = 2.0")
        if sys.platform != "win32":
            cut_off(desk, BigCommerceSimulator, 2, signal.SIGKILL, monkeypatch)
        again = desk.run("sync")
        assert again.exit_code == 0, again.output
        assert oracle.check(*world(stage), POLICY) == []


def test_the_stage_is_empty_at_first(stage: Stage) -> None:
    """The simulated shop holds nothing before the first sync, and Acumatica has Facebook ready for it."""
    assert stage.bigcommerce.companies == {}
    assert stage.acumatica.customer(FACEBOOK).primary_contact == stage.acumatica.contacts_of(FACEBOOK)[0].id
