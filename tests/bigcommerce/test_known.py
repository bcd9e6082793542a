"""What a client remembers of a store."""

from acumatica_b2b.bigcommerce.known import Index, Known
from acumatica_b2b.bigcommerce.records import UserRecord


def users(first: int, last: int) -> list[UserRecord]:
    """Return users of these ids."""
    return [UserRecord(id=i, company_id=5, email=f"u{i}@example.com") for i in range(first, last + 1)]


def test_users_seen_last() -> None:
    """A user is remembered as he was seen last."""
    known = Known()
    known.saw(users(1, 2))
    known.saw([UserRecord(id=2, company_id=5, email="new@example.com")])
    assert {id_: user.email for id_, user in known.users.items()} == {1: "u1@example.com", 2: "new@example.com"}


def test_too_many_users() -> None:
    """Of too many users only those that were seen last are remembered."""
    known = Known()
    known.saw(users(1, 9_999))
    known.saw(users(10_000, 10_000))
    assert len(known.users) == 10_000
    known.saw(users(10_001, 10_002))
    assert sorted(known.users) == [10_001, 10_002]


def test_holders() -> None:
    """Who holds an external id is told by the companies' ids; an empty one is held by nobody."""
    assert Index(held={7: "a", 5: "a", 6: "", 8: "b"}, read_at=0).holders() == {"a": [5, 7], "b": [8]}


def test_forget() -> None:
    """After forget() nothing is remembered."""
    known = Known(roles=(), super_admins=frozenset({"a"}), companies=Index(held={}, read_at=1))
    known.saw(users(1, 1))
    known.places["US", ""] = "United States"
    known.forget()
    assert known == Known()
