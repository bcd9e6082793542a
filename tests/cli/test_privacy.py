"""What the commands print, and what is logged meanwhile: no secret and no e-mail address, also where all goes wrong."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from acumatica_b2b.cli.commands import cli
from acumatica_b2b.cli.config import PASSWORD, TOKEN
from acumatica_b2b.cli.story import FACEBOOK
from acumatica_b2b.cli.watching import StoppableClock
from acumatica_b2b.http import Request
from acumatica_b2b.stores import SqliteStore
from tests.cli.conftest import Desk, contacts, disable
from tests.ears import listening

SECRETS: Final = ("simulated-password", "simulated-token", "wrong-pw", "wrong-token", "s3cret", "t0ken", "c00kie")
TOLD: Final = "no good: ann.ames@mail.example (password=s3cret; access_token: t0ken; .ASPXAUTH=c00kie)"
BODIES: Final[Mapping[str, bytes]] = {
    "erp": json.dumps({"message": TOLD, "exceptionMessage": TOLD}).encode(),
    "shop": json.dumps({"code": 422, "data": {"errMsg": TOLD}, "meta": {"message": TOLD}}).encode(),
    "page": f"<html>{TOLD}".encode(),
}


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Return what is logged meanwhile, at every level, by whomever."""
    with listening() as lines:
        yield lines


def leaks(text: str) -> list[str]:
    """Return each address and secret of a text with what stands around it."""
    found = re.compile("|".join((r"[\w.+-]+(?:@|%40)[\w-]+", *map(re.escape, SECRETS))))
    return [text[max(0, hit.start() - 120) : hit.end() + 40] for hit in found.finditer(text)]


def every(desk: Desk) -> Iterator[tuple[str, ...]]:
    """Yield each command that needs a configuration, on what the shop has just now."""
    primary, other = (str(one) for one in contacts(desk.stage)[:2])
    plan = str(desk.folder / "plan.json")
    user = next((str(one.id) for one in desk.stage.bigcommerce.users.values()), "1")
    company = next((str(one) for one in desk.stage.bigcommerce.companies), "1")
    yield ("check",)
    yield ("plan", "--out", plan)
    yield ("approve", plan)
    yield ("apply", plan)
    yield ("sync", "--all")
    yield ("sync", FACEBOOK)
    yield ("log", FACEBOOK)
    yield ("explain", primary)
    yield ("explain", other)
    yield ("skip", FACEBOOK, "--contact", other)
    yield ("retry", FACEBOOK, "--contact", other)
    yield ("unlink", FACEBOOK, other)
    yield ("link", FACEBOOK, other, user)
    yield ("adopt", FACEBOOK, company)
    yield ("forget", other, "--yes")
    yield ("sync",)


def told(desk: Desk, *form: str, **environ: str) -> str:
    """Return all that all commands print, and what is in the plan's file."""
    printed: list[str] = []
    for command in every(desk):
        printed += (f"$ {' '.join(command)}", _both(desk.run(*command, *form, **environ)))
    plan = Path(desk.folder / "plan.json")
    return "\n".join([*printed, plan.read_text(encoding="utf-8") if plan.exists() else ""])


def test_every_command_is_among_them(desk: Desk) -> None:
    """No command is left out but those that show simulators only."""
    assert {command[0] for command in every(desk)} == cli.commands.keys() - {"demo", "simulate"}


def test_what_commands_print(desk: Desk, heard: list[str]) -> None:
    """No command prints an address or a secret, and nothing that is logged meanwhile holds one, nor a cookie."""
    text = told(desk)
    logged = "\n".join(heard)
    assert "httpcore.http11: receive_response_headers.complete" in logged
    assert not re.search(r"(?:ASPXAUTH|SessionId)=(?!<)", logged)
    disable(desk.stage, contacts(desk.stage)[2])
    heard.clear()  # who edits at the screen has an httpx client of his own
    text += told(desk, "--json")
    assert "company user" in text
    assert leaks(text) == []
    assert leaks(logged + "\n".join(heard)) == []


@pytest.mark.parametrize("environ", [{PASSWORD: "wrong-pw"}, {TOKEN: "wrong-token"}, {PASSWORD: ""}, {TOKEN: "a b"}])
def test_what_commands_print_of_wrong_secrets(desk: Desk, heard: list[str], environ: dict[str, str]) -> None:
    """Neither the right secrets nor the wrong ones are printed or logged."""
    assert leaks(told(desk, **environ)) == []
    assert leaks("\n".join(heard)) == []


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoppableClock, "sleep", lambda *_: None)


@pytest.mark.parametrize(
    ("status", "who"),
    [
        (200, "page"),
        (302, "page"),
        (400, "erp"),
        (403, "shop"),
        (404, "erp"),
        (409, "shop"),
        (422, "shop"),
        (500, "erp"),
    ],
)
def test_what_commands_print_of_failing_systems(desk: Desk, heard: list[str], who: str, status: int) -> None:
    """What the systems say of addresses and secrets, in whatever answer, is neither printed nor logged nor stored."""
    desk.run("sync", FACEBOOK)
    disable(desk.stage, contacts(desk.stage)[1])
    heard.clear()
    if who != "erp":
        desk.stage.bigcommerce.fail_next(status, BODIES[who], times=6, concerns=_is_no_list)
    if who != "shop":
        desk.stage.acumatica.fail_next(status, BODIES[who], times=3, on="Contact")
    printed = "".join(_both(desk.run("sync", "--all", *form)) for form in ((), ("--json",)))
    printed += "".join(_both(desk.run(*command)) for command in (("log", FACEBOOK), ("plan",), ("check",)))
    assert leaks(printed) == []
    assert leaks("\n".join(heard)) == []
    assert leaks("\n".join(stored(desk))) == []


def stored(desk: Desk) -> Iterator[str]:
    """Yield the log's commits, without the addresses by which creations are found again."""
    with SqliteStore(desk.folder / "sync.sqlite") as store:
        for commits in store.load(store.keys("", None, 10_000)):
            yield from (re.sub(r'("do":"Create(?:Company|User)".*?"email":)".*?"', r"\1", one.body) for one in commits)


def _is_no_list(request: Request) -> bool:
    return request.method != "GET"


def _both(result: Any) -> str:
    return f"{result.stdout}\n{result.stderr}\n"
