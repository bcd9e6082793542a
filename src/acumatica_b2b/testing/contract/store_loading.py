"""What a store gives back: whole logs in order, to the letter, and the keys there are."""

from typing import Final

from attrs import evolve

from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.store_bench import StoreBench

_FOLDED: Final = "the engine folds a log in its order: links, grants and what may be under way would come out wrong"
_OTHERS: Final = "a customer would be synced by the log of another one"
_SWEPT: Final = "what goes over all logs, such as retention and `forget`, would leave some out or reach into others"

BODIES: Final = {
    "an empty object": "{}",
    "an empty list": "[]",
    "an empty text": '""',
    "null": "null",
    "quotes and backslashes": r'{"a":"it\'s \"quoted\" \\ \n %s ? :x $1"}',
    "line ends": '{"a":\n"b\r\n\t "}\n',
    "letters of the world": '"Łódź Größe 東京 العربية"',
    "letters beyond 16 bits": '"\U0001f600\U00020bb7"',
    "an accent of its own": '"e\u0301 and \u00e9"',
    "spaces at both ends": "  {}  ",
    "a number": "1.0",
    "a megabyte": '"' + "0123456789abcdeé" * 65_536 + '"',
}
"""What a body may look like, by what is odd about it."""


class Loads:
    """A log comes whole, in order and to the letter."""

    def test_commits_come_by_version(self, log: StoreBench) -> None:
        """Versions come in the order of numbers, 10 behind 9, in whatever order they were appended."""
        wave = [log.commit(version) for version in range(1, 13)]
        log.stored(*wave[6:], *wave[:3])
        log.stored(*wave[3:6])
        why = Why(_FOLDED, "load: ORDER BY version, which is a number in the database, too")
        log.same("versions 1 to 12 were appended in another order", wave, log.log(), why)

    def test_each_key_gets_its_own_log(self, log: StoreBench) -> None:
        """Each asked key is answered, in the order asked: one asked for twice, and one that nobody knows, as well."""
        first, second = log.commit(name="customer/C1"), log.commit(name="customer/C2", body='"two"')
        log.stored(first, second)
        nobody = log.key("customer/nobody")
        asked = [second.key, nobody, first.key, second.key]
        logs = log.load(*asked)
        why = Why(_OTHERS, "load: one statement for many keys gives rows, not answers; group them by key")
        for key, expected, found in zip(asked, [[second], [], [first], [second]], logs, strict=True):
            did = f"load was asked for four keys; the log of {log.short(key)}"
            log.same(did, expected, found, why)

    def test_bodies_come_back_to_the_letter(self, log: StoreBench) -> None:
        """A body is text: quotes, line ends, all scripts, spaces and a megabyte of it come back unchanged."""
        wave = {name: log.commit(version, body) for version, (name, body) in enumerate(BODIES.items(), 1)}
        for commit in wave.values():
            log.stored(commit)
        found = {commit.version: commit for commit in log.log()}
        why = Why(
            "what was recorded can't be read any more, and the customer stands still until somebody repairs the log",
            "the type of the column, its length and its character set; a column of JSON rewrites what it is given",
        )
        for name, commit in wave.items():
            mine = [found[commit.version]] if commit.version in found else []
            log.same(f"a body with {name} was appended", [commit], mine, why)

    def test_a_load_begins_at_the_last_snapshot_or_before(self, log: StoreBench) -> None:
        """A log comes from its last snapshot on, that one included, or from before it; never from behind it."""
        wave = [evolve(log.commit(version), snapshot=version in {3, 6}) for version in range(1, 9)]
        log.stored(*wave)
        found = log.log()
        if not found or found[0].version > 6:
            but = f"it begins with version {found[0].version}" if found else "it is empty"
            why = Why(_FOLDED, "load: version >= the last snapshot's, and a key without one has no such condition")
            raise broken(did="versions 3 and 6 of 8 are snapshots", should="begin with 6 or before", but=but, why=why)
        did = f"a log with snapshots was loaded, from version {found[0].version} on"
        log.same(
            did, wave[found[0].version - 1 :], found, Why(_FOLDED, "load: what follows the snapshot, and its mark")
        )


class Finds:
    """Keys are found by how they begin, in order."""

    def test_a_prefix_means_what_it_says(self, log: StoreBench) -> None:
        """`%`, `_`, `*`, `?` and brackets in a prefix stand for themselves."""
        names = ["a%c", "a*c", "a?c", "a[b]c", "a\\c", "a_c", "abc", "bac"]
        log.stored(*(log.commit(name=name) for name in names))
        for prefix in ("a%", "a_", "a*", "a?", "a[", "a[b]", "a\\", "ab", "a", ""):
            expected = sorted(name for name in names if name.startswith(prefix))
            _same_keys(log, f"keys with the prefix {prefix!r}", expected, log.keys(prefix), "keys: LIKE and GLOB")

    def test_keys_tell_upper_from_lower_case(self, log: StoreBench) -> None:
        """Keys that differ in case, or by a space at the end, are different keys."""
        names = ["customer/ABC", "customer/abc", "customer/abc "]
        wave = [log.commit(name=name, body=f'"{name}"') for name in names]
        look = 'the collation of the key: it has to compare bytes (BINARY, "C", utf8mb4_bin)'
        said = log.append(*wave)
        if False in said:
            but = f"{log.short(wave[said.index(False)].key)} was refused"
            did = "commits were appended to keys that differ in case, or by a space at the end"
            raise broken(did=did, should="store each", but=but, why=Why(_OTHERS, look))
        for commit in wave:
            log.same(f"the log of {log.short(commit.key)}", [commit], log.load(commit.key)[0], Why(_OTHERS, look))
        _same_keys(log, "keys with the prefix 'customer/a'", names[1:], log.keys("customer/a"), look)

    def test_keys_come_in_order(self, log: StoreBench) -> None:
        """Keys come once each, in the order of their characters' numbers: digits, capitals, small letters."""
        names = ["C-1", "C 1", "C/1", "C1", "C10", "C2", "CA", "Ca", "C_", "C~", "c1"]
        log.stored(*(log.commit(version, name=name) for name in names for version in (1, 2)))
        look = "keys: DISTINCT, and ORDER BY with a collation that compares bytes"
        _same_keys(log, "all keys", sorted(names), log.keys(), look)

    def test_keys_go_on_behind_the_last_one(self, log: StoreBench) -> None:
        """Keys that are asked for page by page come once each, also where `after` is a key that is gone."""
        names = sorted(f"customer/C{n}" for n in range(25))
        log.stored(*(log.commit(name=name) for name in names))
        found: list[str] = []
        while page := log.keys("customer/", found[-1] if found else None, 7):
            _limited(page, 7)
            found += page
            if len(found) > len(names):
                break
        look = "keys: key > after, which is not part of the answer, and LIMIT"
        _same_keys(log, "25 keys asked for by sevens", names, found, look)
        behind = log.keys("customer/", "customer/C80", 7)
        _same_keys(log, "keys behind one that is not there", ["customer/C9"], behind, look)

    def test_keys_are_limited(self, log: StoreBench) -> None:
        """No more keys come than were asked for, the first ones."""
        log.stored(*(log.commit(name=name) for name in "dbca"))
        for limit in (1, 3):
            found = log.keys(limit=limit)
            _limited(found, limit)
            _same_keys(
                log, f"the first {limit} of four keys", list("abcd")[:limit], found, "keys: ORDER BY before LIMIT"
            )

    def test_long_keys_are_kept_apart(self, log: StoreBench) -> None:
        """Two keys of 255 characters that differ in the last one are two."""
        room = "x" * (254 - len(log.root))
        one, two = log.commit(name=room + "1"), log.commit(name=room + "2")
        log.stored(one, two)
        why = Why(_OTHERS, "the length of the column of the key, and of its index")
        log.same("the first of two keys of 255 characters", [one], log.load(one.key)[0], why)
        log.same("the second of two keys of 255 characters", [two], log.load(two.key)[0], why)
        _same_keys(log, "keys of 255 characters", [room + "1", room + "2"], log.keys("x"), why.look)


class Drops:
    """What is dropped is forgotten, and nothing else."""

    def test_a_drop_forgets_what_is_below(self, log: StoreBench) -> None:
        """Versions below the given one are gone; that one and all above stay."""
        log.stored(*(log.commit(version) for version in range(1, 13)))
        log.drop(10)
        why = Why("what the log has to keep would be lost, or what it has to forget kept", "drop: version < before")
        log.same("versions below 10 of 12 were dropped", [log.commit(v) for v in (10, 11, 12)], log.log(), why)

    def test_a_drop_leaves_other_keys_alone(self, log: StoreBench) -> None:
        """No other key loses anything, however much alike they look."""
        names = ["customer/C1", "customer/C10", "customer/c1", "customer/C_", "customer/C%"]
        log.stored(*(log.commit(version, name=name) for name in names for version in (1, 2)))
        for name in ("customer/C_", "customer/C%", "customer/C1"):
            log.drop(3, name)
        why = Why("a customer would lose its links because another one's log was shortened", "drop: key = …")
        for name in ("customer/C10", "customer/c1"):
            expected = [log.commit(1, name=name), log.commit(2, name=name)]
            log.same(f"other keys were dropped; the log of {name!r}", expected, log.log(name), why)

    def test_a_key_without_commits_vanishes(self, log: StoreBench) -> None:
        """A key whose every commit was dropped is empty, and is no longer listed."""
        log.stored(log.commit(1), log.commit(2), log.commit(1, name="customer/C2"))
        log.drop(3)
        why = Why("what a person asked to be forgotten would still be named", "drop, and keys: a table of keys beside")
        log.same("every version of a key was dropped", [], log.log(), why)
        _same_keys(log, "keys after one was dropped", ["customer/C2"], log.keys(), why.look)

    def test_a_drop_of_nothing_is_nothing(self, log: StoreBench) -> None:
        """To drop below the first version, or from a key that is not there, changes nothing."""
        log.stored(log.commit(1))
        log.drop(1)
        log.drop(9, "customer/nobody")
        why = Why("a log would be lost because there was nothing to forget in it", "drop: version < before")
        log.same("versions below 1 were dropped", [log.commit(1)], log.log(), why)

    def test_a_log_goes_on_after_a_drop(self, log: StoreBench) -> None:
        """A log that was dropped below a snapshot begins with it, and takes the next version."""
        snapshot = evolve(log.commit(3), snapshot=True)
        log.stored(log.commit(1), log.commit(2), snapshot)
        log.drop(3)
        log.stored(log.commit(4))
        why = Why(_FOLDED, "load and append after a drop: what do they count?")
        log.same("version 4 was appended after all below 3 was dropped", [snapshot, log.commit(4)], log.log(), why)


def _same_keys(log: StoreBench, did: str, expected: list[str], found: list[str], look: str) -> None:
    if found != expected:
        raise broken(
            did=f"{did} were asked for (each below {log.root!r})",
            should=f"give {expected}",
            but=f"it gave {found}",
            why=Why(_SWEPT, look),
        )


def _limited(found: list[str], limit: int) -> None:
    if len(found) > limit:
        raise broken(
            did=f"keys was asked for up to {limit}",
            should=f"give at most {limit}",
            but=f"it gave {len(found)}",
            why=Why("what a person sees page by page would come all at once", "keys: LIMIT"),
        )
