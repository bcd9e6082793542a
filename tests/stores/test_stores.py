from concurrent.futures import ThreadPoolExecutor

import pytest

from acumatica_b2b.errors import StoreError
from acumatica_b2b.protocols import Commit, LogKey, SyncLogStore

KEY = LogKey("shop/customer/C000000288")


def commit(version: int = 1, *, key: str = KEY, body: str = "{}") -> Commit:
    """Return a commit about which only what is given matters."""
    return Commit(key=LogKey(key), version=version, body=body)


def test_an_empty_store_has_an_empty_log_for_every_key(store: SyncLogStore) -> None:
    """A key that nothing was appended to has no commits and is not listed."""
    assert [list(log) for log in store.load([KEY, LogKey("shop/run")])] == [[], []]
    assert list(store.keys("", None, 10)) == []


def test_the_first_body_stays(store: SyncLogStore) -> None:
    """A commit that came too late changes nothing of the one that was there."""
    store.append([commit(body="first")])
    assert list(store.append([commit(body="second"), commit(2)])) == [False, True]
    assert [kept.body for kept in store.load([KEY])[0]] == ["first", "{}"]


@pytest.mark.parametrize("body", ["", "\0", "a\0b"])
def test_a_body_may_hold_what_not_every_database_keeps(store: SyncLogStore, body: str) -> None:
    """The empty body and the character NUL, which JSON never holds, come back as well."""
    store.append([commit(body=body)])
    assert list(store.load([KEY])[0]) == [commit(body=body)]


def test_a_commit_twice_in_one_call_is_kept_once(store: SyncLogStore) -> None:
    """The second of two equal commits of one call finds its version taken."""
    twice = commit()
    assert list(store.append([twice, twice])) == [True, False]


def test_keys_can_be_paged(store: SyncLogStore) -> None:
    """Pages of three, each behind the last key of the one before, give every key once."""
    names = [f"shop/customer/{i:03}" for i in range(10)]
    store.append([commit(version, key=name) for name in reversed(names) for version in (1, 2)])
    pages, after = list[str](), None
    while page := store.keys("shop/customer/", after, 3):
        pages.extend(page)
        after = page[-1]
    assert pages == names


def test_many_keys_load_in_the_order_they_were_asked_for(store: SyncLogStore) -> None:
    """A wave larger than any limit on the number of SQL parameters is loaded in one call."""
    names = [LogKey(f"shop/customer/{i}") for i in range(2000)]
    store.append([commit(key=name, body=name) for name in names])
    assert [log[0].body for log in store.load(names[::-1])] == names[::-1]


def test_threads_that_race_for_a_version_have_one_winner(store: SyncLogStore) -> None:
    """Of eight threads that append the same versions, one wins each of them."""
    wave = [commit(version) for version in range(1, 51)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(store.append, [wave[i:] + wave[:i] for i in range(8)]))
    assert sum(sum(answer) for answer in answers) == len(wave)
    assert list(store.load([KEY])[0]) == wave


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "has 0"),
        ("k" * 256, "has 256"),
        ("shop/customer/MÜLLER", "has others"),
        ("shop/customer/C1\n", "has others"),
        ("shop/customer/C1\0", "has others"),
    ],
)
def test_a_key_that_not_every_database_can_keep_is_refused(store: SyncLogStore, key: str, why: str) -> None:
    """StoreError: a key is 1 to 255 printable ASCII characters, whatever one does with it."""
    bad = LogKey(key)
    for use in (
        lambda: store.load([KEY, bad]),
        lambda: store.append([commit(), commit(key=key)]),
        lambda: store.drop(bad, 2),
    ):
        with pytest.raises(StoreError, match=f"{why}; give it 1 to 255 printable ASCII characters"):
            use()
    assert list(store.keys("", None, 10)) == []


def test_the_longest_key_is_kept(store: SyncLogStore) -> None:
    """A key of 255 characters is like any other."""
    longest = LogKey("~" * 255)
    assert list(store.append([commit(key=longest)])) == [True]
    assert list(store.keys(longest, None, 10)) == [longest]


@pytest.mark.parametrize("version", [0, -1, 2**63])
def test_a_version_is_a_count(store: SyncLogStore, version: int) -> None:
    """StoreError: versions are counted from 1, and nothing of the call is kept."""
    with pytest.raises(StoreError, match=f"'shop/customer/C000000288' has version {version}; count versions from 1"):
        store.append([commit(), commit(version)])
    assert list(store.load([KEY])[0]) == []


def test_a_body_is_text_that_can_be_written(store: SyncLogStore) -> None:
    """StoreError: half a surrogate pair has no bytes in UTF-8, and nothing of the call is kept."""
    with pytest.raises(StoreError, match="commit 2 to 'shop/customer/C000000288' holds half a surrogate pair"):
        store.append([commit(), commit(2, body="\ud800")])
    assert list(store.load([KEY])[0]) == []
