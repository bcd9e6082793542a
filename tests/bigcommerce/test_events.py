"""Webhooks: from a request to the companies that are worth a look."""

import json
import pickle
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.bigcommerce.events import (
    SCOPES,
    Inbox,
    Notification,
    Webhook,
    companies_to_look_at,
)
from acumatica_b2b.errors import AcumaticaB2BError, ConfigurationError, DecodeError, WrongSecretError
from acumatica_b2b.model import CompanyID, StorefrontID

SECRET: Final = "very-secret"
HOOK: Final = Webhook(store_hash="abc", header="X-Secret", secret=SECRET)
SIGNED: Final = (("Content-Type", "application/json"), ("x-secret", SECRET))
TOLD: Final[dict[str, Any]] = {
    "scope": "store/company/user/created",
    "store_id": "123456",
    "data": {"company_id": 123456, "user_id": 321},
    "hash": "352e4afc6dd3fc85ea26bfdf3f91852604d57528",
    "created_at": 1561482670,
    "producer": "stores/abc",
}


def told(**fields: Any) -> Notification | None:
    """Return what a notification with these fields tells; None takes a field away."""
    body = {name: value for name, value in {**TOLD, **fields}.items() if value is not None}
    return HOOK.notification(SIGNED, json.dumps(body).encode())


def notification(hash_: str, company: int = 5, second: int = 0) -> Notification:
    """Return a notification."""
    at = datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC)
    return Notification(hash=hash_, scope=SCOPES[0], company=CompanyID(StorefrontID(str(company))), at=at)


# ------------------------------------------------------------------ what is told
def test_user() -> None:
    """A user's notification names his company and himself, as texts."""
    assert told() == Notification(
        hash=TOLD["hash"],
        scope="store/company/user/created",
        company="123456",  # type: ignore[arg-type] # what the NewTypes are
        user="321",  # type: ignore[arg-type] # as above
        at=datetime(2019, 6, 25, 17, 11, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_scopes(scope: str) -> None:
    """Every scope that is worth a subscription names a company."""
    one = told(scope=scope, data={"company_id": 5, "address_id": "7"})
    assert one is not None
    assert (one.scope, one.company, one.user, one.address) == (scope, "5", None, "7")


@pytest.mark.parametrize(
    "scope", ["store/superadmin/created", "store/company/superadmin/assignmentUpdated", "store/quote/created", "x"]
)
def test_other_scopes(scope: str) -> None:
    """What a sync has no use for is nothing to look at, whatever it tells."""
    assert told(scope=scope, data={"user_id": 1234}) is None


# ------------------------------------------------------------------ who tells it
@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("X-Secret", "guess"),),
        (("X-Secret", ""),),
        (("X-Secret", SECRET), ("X-Secret", "guess")),
        (("X-Secret", "ü"),),
    ],
)
def test_wrong_secret(headers: tuple[tuple[str, str], ...]) -> None:
    """A request without the secret is refused before its body is read, and the error does not tell it."""
    with pytest.raises(WrongSecretError, match="'X-Secret'") as caught:
        HOOK.notification(headers, b"no JSON")
    assert SECRET not in f"{caught.value!r} {HOOK!r}"


def test_another_store() -> None:
    """A notification of another store names its own store, and what to do."""
    with pytest.raises(ConfigurationError, match="another store came to the webhook of 'abc'; give each"):
        told(producer="stores/other")


@pytest.mark.parametrize("name", ["store_hash", "header", "secret"])
def test_incomplete_webhook(name: str) -> None:
    """A webhook that lacks what it is told apart by is refused."""
    with pytest.raises(ConfigurationError, match=name):
        Webhook(**{"store_hash": "abc", "header": "X", "secret": "s", name: ""})


# ------------------------------------------------------------------ what is none
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"scope": None}, "scope"),
        ({"scope": 7}, "scope"),
        ({"producer": None}, "producer"),
        ({"hash": ""}, "hash"),
        ({"data": None}, "data"),
        ({"data": [5]}, "data"),
        ({"data": {}}, "data.company_id"),
        ({"data": {"company_id": "five"}}, "data.company_id"),
        ({"data": {"company_id": -5}}, "data.company_id"),
        ({"data": {"company_id": True}}, "data.company_id"),
        ({"data": {"company_id": 5, "user_id": {}}}, "data.user_id"),
        ({"created_at": "now"}, "created_at"),
        ({"created_at": -1}, "created_at"),
        ({"created_at": 10**18}, "created_at"),
    ],
)
def test_malformed(fields: dict[str, Any], path: str) -> None:
    """What is no notification is told by the path of the field."""
    with pytest.raises(DecodeError) as caught:
        told(**fields)
    assert caught.value.path == path


@given(
    st.binary(max_size=40)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_body(body: bytes) -> None:
    """No body, however odd, raises anything but an error of ours, and it pickles."""
    with pytest.raises(AcumaticaB2BError) as caught:
        HOOK.notification(SIGNED, body)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - made here


# ------------------------------------------------------------------ what is kept
def test_each_company_once() -> None:
    """Companies are looked at once each, in the order in which something happened to them."""
    told_of = [notification("a", 2, second=3), notification("b", 1, second=1), notification("c", 2, second=0)]
    assert companies_to_look_at(told_of) == ("2", "1")


def test_duplicates() -> None:
    """A notification that is delivered again, even after its sync, is dropped; another one is not."""
    first, second = notification("a"), notification("b", 6)
    inbox = Inbox().put(first).put(first)
    assert inbox.waiting == (first,)
    inbox = inbox.without(inbox.waiting).put(first).put(second)
    assert inbox.companies == ("6",)


def test_what_comes_meanwhile() -> None:
    """What comes while a sync is at work waits for the next one."""
    before = Inbox().put(notification("a"))
    assert before.put(notification("b", 6)).without(before.waiting).companies == ("6",)


def test_nothing_of_interest() -> None:
    """What tells of nothing leaves the inbox as it is."""
    assert Inbox().put(None) == Inbox()


@given(st.lists(st.integers(0, 20), max_size=60))
def test_bounded_memory(hashes: list[int]) -> None:
    """An inbox remembers no more hashes than it is told to, the last ones, each once."""
    inbox = Inbox(memory=5)
    for i in hashes:
        inbox = inbox.put(notification(str(i)))
    assert len(inbox.seen) <= 5
    assert len(set(inbox.seen)) == len(inbox.seen)
    assert not hashes or str(hashes[-1]) in inbox.seen
