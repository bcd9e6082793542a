import json
import pickle
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acumatica_b2b.acumatica.events import Inbox, Notification, Webhook
from acumatica_b2b.errors import ConfigurationError, DecodeError, WrongSecretError
from acumatica_b2b.model import CustomerID

SAMPLE = Path(__file__).parents[3] / "shared" / "samples" / "acumatica" / "push_notification_update.26.1_guide.json"
QUERY = "B2B contacts"
SECRET = "0b7f-secret"
HOOK = Webhook(header="X-Sync-Secret", secret=SECRET, columns={QUERY: "Customer"})
GOOD = (("Content-Type", "application/json"), ("x-sync-secret", SECRET))


def body(**more: Any) -> dict[str, Any]:
    """Return a notification of a contact of C1 that was changed."""
    pair = {"Inserted": [{"ContactID": 7, "Customer": "C1"}], "Deleted": [{"ContactID": 7, "Customer": "C1"}]}
    told = {"Query": QUERY, "CompanyId": "Live", "Id": "1AF4D140", "TimeStamp": 639_000_000_000_000_000}
    return {**pair, **told, "AdditionalInfo": {}, **more}


def received(hook: Webhook = HOOK, headers: Any = GOOD, **more: Any) -> Notification:
    """Return what a notification tells."""
    return hook.notification(headers, json.dumps(body(**more)).encode())


def customers(**more: Any) -> tuple[str, ...]:
    """Return the customers that a notification names."""
    return received(**more).customers


def notification(name: str, ticks: int, *names: str, query: str = QUERY) -> Notification:
    """Return a notification."""
    return Notification(id=name, query=query, ticks=ticks, customers=tuple(map(CustomerID, names)))


# ------------------------------------------------------------------ what it names
def test_an_update_is_one_customer() -> None:
    """An update comes as a pair of rows and is one customer to look at."""
    told = received()
    assert (told.id, told.query, told.customers) == ("1af4d140", QUERY, ("C1",))
    assert told.sent == datetime(2025, 11, 29, 8, 0, tzinfo=UTC)


def test_a_mover_names_both_customers() -> None:
    """A contact that moves is a matter of its new customer and of its old one."""
    moved = {"Inserted": [{"Customer": "NEW"}], "Deleted": [{"Customer": "OLD"}]}
    assert customers(**moved) == ("NEW", "OLD")


@pytest.mark.parametrize("kind", ["Inserted", "Deleted"])
@pytest.mark.parametrize("other", [{}, {"other": []}, {"other": None}])
def test_a_new_and_a_deleted_row(kind: str, other: dict[str, Any]) -> None:
    """A row that was only inserted, or only deleted, names its customer."""
    told = {key: value for key, value in body().items() if key not in {"Inserted", "Deleted"}}
    missing = {"Inserted", "Deleted"} - {kind}
    told |= {kind: [{"Customer": "C1"}]} | dict.fromkeys(missing if other else (), other.get("other"))
    assert HOOK.notification(GOOD, json.dumps(told).encode()).customers == ("C1",)


def test_keys_are_trimmed() -> None:
    """The blanks that pad a key are no part of the customer's id; the blanks within are."""
    rows = [{"Customer": "C1      "}, {"Customer": " C1"}, {"Customer": "AB 2  "}]
    assert customers(Inserted=rows) == ("C1", "AB 2")


def test_rows_of_nobody() -> None:
    """A contact of no customer, or an attribute that is null because it did not change, names nobody."""
    rows = [{"Customer": None}, {"Customer": "  "}, {"ContactID": 8}]
    assert customers(Inserted=[*rows, {"Customer": "C2"}], Deleted=[]) == ("C2",)


def test_several_columns() -> None:
    """A query may name customers in several columns, and each query has its own."""
    hook = Webhook(header="h", secret="s", columns={"q": ("Customer_acctCD", "Parent"), QUERY: "Customer"})
    rows = [{"Customer_acctCD": "C1", "Parent": "C0"}]
    assert received(hook, [("H", "s")], Query="q", Inserted=rows, Deleted=[]).customers == ("C1", "C0")
    assert received(hook, [("H", "s")]).customers == ("C1",)


def test_a_byte_order_mark() -> None:
    """A body that begins with a byte order mark, as .NET may write it, is read."""
    assert HOOK.notification(GOOD, b"\xef\xbb\xbf" + json.dumps(body()).encode()).customers == ("C1",)


def test_the_recorded_notification() -> None:
    """The vendor's own example is read, its rows by whatever column is said to name the customer."""
    if not SAMPLE.exists():
        pytest.skip("no recording")
    hook = Webhook(
        header="h", secret="s", columns={"Stock Items: Last Modified Date": "InventoryID"}, tenant="mytenant"
    )
    told = hook.notification([("h", "s")], SAMPLE.read_bytes())
    assert told.customers == ("AACOMPUT01",)
    assert told.id == "1af4d140-5321-41f2-a2ec-50b67f577c6c"
    assert told.sent == datetime(2017, 5, 5, 12, 16, 22, 949367, tzinfo=UTC)


# ------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("X-Sync-Secret", ""),),
        (("X-Sync-Secret", SECRET[:-1]),),
        (("X-Sync-Secret", SECRET + " "),),
        (("X-Sync-Secret", SECRET.upper()),),
        (("X-Sync-Secret", "pässword"),),
        (("X-Sync-Secret", "\udcff"),),
        (("X-Other", SECRET),),
        (("X-Sync-Secret", SECRET), ("x-sync-secret", "other")),
        (("X-Sync-Secret", SECRET), ("x-sync-secret", SECRET)),
    ],
)
def test_a_wrong_secret(headers: Any) -> None:
    """Without exactly the one secret nothing of a body is looked at, and no error shows the secret."""
    with pytest.raises(WrongSecretError) as caught:
        HOOK.notification(headers, b"not even JSON")
    assert SECRET not in repr(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 -- ours


def test_the_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is held against the header by the comparison whose time tells nothing."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, kept: bytes) -> bool:
        compared.append((given, kept))
        return given == kept

    monkeypatch.setattr("hmac.compare_digest", compare)
    with pytest.raises(WrongSecretError):
        received(headers=[("X-Sync-Secret", "x")])
    assert received().customers == ("C1",)
    assert compared == [(b"x", SECRET.encode()), (SECRET.encode(), SECRET.encode())]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b"", ""),
        (b"{", ""),
        (b"\xff\xfe\x00", ""),
        (b"[" * 100_000, ""),
        (b"[]", ""),
        (b"null", ""),
        ({"Query": None}, "Query"),
        ({"Query": "  "}, "Query"),
        ({"Id": 7}, "Id"),
        ({"Id": ""}, "Id"),
        ({"TimeStamp": "639000000000000000"}, "TimeStamp"),
        ({"TimeStamp": True}, "TimeStamp"),
        ({"TimeStamp": 1.5}, "TimeStamp"),
        ({"TimeStamp": -1}, "TimeStamp"),
        ({"TimeStamp": 3_155_378_976_000_000_000}, "TimeStamp"),
        ({"Inserted": {}}, "Inserted"),
        ({"Inserted": "C1"}, "Inserted"),
        ({"Deleted": [[]]}, "Deleted[0]"),
        ({"Inserted": [{"Customer": "C1"}, {"Customer": 7}]}, "Inserted[1].Customer"),
        ({"Inserted": [{"Customer": ["C1"]}]}, "Inserted[0].Customer"),
        ({"Inserted": [{"Customer": "C\x001"}]}, "Inserted[0].Customer"),
        ({"Inserted": [{"Customer": "\ud800"}]}, "Inserted[0].Customer"),
    ],
)
def test_what_is_no_notification(content: bytes | dict[str, Any], path: str) -> None:
    """A body that is not of the documented shape is a DecodeError with the path of what is wrong."""
    sent = content if isinstance(content, bytes) else json.dumps(body(**content)).encode()
    with pytest.raises(DecodeError) as caught:
        HOOK.notification(GOOD, sent)
    assert caught.value.path == path


def test_a_moment_at_either_end() -> None:
    """Every tick that .NET knows has its moment."""
    moments = [received(TimeStamp=ticks).sent for ticks in (0, 3_155_378_975_999_999_999)]
    assert moments == [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]


SCALARS = st.none() | st.booleans() | st.integers() | st.text()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(ANYTHING)
@settings(max_examples=60)
def test_nothing_else_is_raised(data: Any) -> None:
    """Whatever JSON takes the place of a notification or its rows, a DecodeError is the worst that comes."""
    for sent in (data, body(Inserted=data), body(Inserted=[{"Customer": data}]), body(Id=data, TimeStamp=data)):
        try:
            HOOK.notification(GOOD, json.dumps(sent).encode())
        except DecodeError as error:
            assert str(error)  # noqa: PT017 -- not each of them is refused
        except ConfigurationError as error:
            assert "column" in str(error)  # noqa: PT017 -- rows of another query


@pytest.mark.parametrize(
    ("hook", "more", "named"),
    [
        (Webhook(header="X-Sync-Secret", secret=SECRET, columns={QUERY: "Customer"}, tenant="Test"), {}, "'Live'"),
        (HOOK, {"Query": "Other"}, "'Other'"),
        (HOOK, {"Inserted": [{"Account": "C1"}], "Deleted": []}, "'Account'"),
        (HOOK, {"Inserted": [{}], "Deleted": []}, "none"),
    ],
)
def test_a_wrong_set_up(hook: Webhook, more: dict[str, Any], named: str) -> None:
    """Another tenant, an unknown query and a missing column are named, so that somebody can set them right."""
    with pytest.raises(ConfigurationError, match=named):
        received(hook, **more)


@pytest.mark.parametrize(
    "wrong", [{"secret": ""}, {"header": ""}, {"columns": {}}, {"columns": {QUERY: ()}}, {"columns": {QUERY: ""}}]
)
def test_a_webhook_has_a_secret_and_columns(wrong: dict[str, Any]) -> None:
    """A webhook without secret, or with a query of no column, is none."""
    with pytest.raises(ConfigurationError, match="Webhook"):
        Webhook(**({"header": "h", "secret": "s", "columns": {QUERY: "Customer"}} | wrong))


def test_the_tenant_is_compared_without_case() -> None:
    """A tenant's name means the same in whatever case."""
    hook = Webhook(header="X-Sync-Secret", secret=SECRET, columns={QUERY: "Customer"}, tenant="LIVE")
    assert received(hook).customers == ("C1",)
    assert SECRET not in repr(hook)


# ------------------------------------------------------------------ the inbox
def test_the_same_notification_is_taken_once() -> None:
    """A notification that comes again is dropped, while it waits and after it was dealt with."""
    one = received()
    inbox = Inbox().put(one)
    assert inbox.put(received(Inserted=[{"Customer": "C9"}])) is inbox
    done = inbox.without(inbox.waiting)
    assert done.waiting == ()
    assert done.put(one) is done


def test_one_transaction_of_two_queries() -> None:
    """One transaction may be told by several queries under the same id: none of these is lost."""
    inbox = Inbox().put(notification("1", 5, "C1")).put(notification("1", 5, "C2", query="B2B locations"))
    assert inbox.customers == ("C1", "C2")


def test_they_wait_in_the_order_of_their_transactions() -> None:
    """In whatever order notifications come, the customer whose transaction is oldest is first."""
    sent = [notification("a", 1, "C3", "C1"), notification("b", 2, "C2", "C1"), notification("c", 2, "C4")]
    for order in permutations(sent):
        inbox = Inbox()
        for one in order:
            inbox = inbox.put(one)
        assert inbox.customers[:2] == ("C3", "C1")
        assert set(inbox.customers) == {"C1", "C2", "C3", "C4"}
        assert [one.ticks for one in inbox.waiting] == [1, 2, 2]


def test_what_comes_during_a_sync_still_waits() -> None:
    """A customer that is changed again while it is synced is synced again."""
    inbox = Inbox().put(notification("1", 1, "C1", "C2"))
    taken = inbox.waiting
    assert inbox.put(notification("2", 2, "C1")).without(taken).customers == ("C1",)


def test_the_memory_is_bounded() -> None:
    """The memory forgets the oldest first, and what waits is never forgotten."""
    inbox = Inbox(memory=2)
    for i in range(5):
        inbox = inbox.put(notification(str(i), i, f"C{i}"))
    assert len(inbox.seen) == 2
    assert len(inbox.customers) == 5
    assert inbox.put(notification("4", 4, "C4")) is inbox


def test_a_notification_of_nobody_takes_no_place() -> None:
    """A notification that names nobody is remembered, and does not wait."""
    inbox = Inbox().put(notification("1", 1))
    assert inbox.waiting == ()
    assert inbox.put(notification("1", 1)) is inbox


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.sampled_from(["C1", "C2"])), max_size=12))
@settings(max_examples=100)
def test_nobody_is_lost(sent: list[tuple[str, int, str]]) -> None:
    """Each customer of a notification that is not a repetition is in the inbox until it is taken out."""
    inbox, expected = Inbox(), dict[str, str]()
    for name, ticks, customer in sent:
        inbox = inbox.put(notification(name, ticks, customer))
        expected.setdefault(name, customer)
    assert set(inbox.customers) == set(expected.values())
    assert len(inbox.waiting) == len(expected)
    assert inbox.without(inbox.waiting).customers == ()
