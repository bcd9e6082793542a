"""What a store makes of appends: kept, each by itself, once, and for good."""

from typing import Final

from acumatica_b2b.protocols import Commit, SyncLogStore
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.store_bench import StoreBench, told

_LOST: Final = Why(
    "the engine would take the customer for a new one: companies and users are looked for anew, and which Primary"
    " Admins are ours is forgotten",
    "append: is the row written, and committed, before it returns?",
)
_TWICE: Final = Why(
    "two runs would both believe that the customer is theirs, and write to the shop at once",
    "append: a primary key over key and version, and an insert that does nothing on conflict",
)
_ALONE: Final = Why(
    "one customer that another run took would hold up all customers of its wave",
    "append: a conflict must not roll back, or end, the other commits of the call",
)
_ROUNDS: Final = 8
_RACERS: Final = 4
_VERSIONS: Final = 6


class Durable:
    """What was appended is there, in this process and in the next."""

    def test_what_was_appended_is_loaded(self, log: StoreBench) -> None:
        """A commit that was appended is loaded as it was: key, version, body and snapshot."""
        first = log.commit(body='{"schema":1,"entries":[]}')
        log.stored(first)
        log.same("a commit was appended, and its key loaded", [first], log.log(), _LOST)

    def test_what_was_appended_is_there_for_another_process(self, log: StoreBench) -> None:
        """What `append` said True of is found by who opens the log now, although nobody closed it."""
        wave = [log.commit(version) for version in range(1, 4)]
        log.stored(*wave)
        log.same("three commits were appended, and the log opened once more", wave, log.again().log(), _LOST)

    def test_what_was_dropped_is_gone_for_another_process(self, log: StoreBench) -> None:
        """What was dropped is not found by who opens the log now."""
        log.stored(*(log.commit(version) for version in range(1, 4)))
        log.drop(3)
        why = Why(
            "what a person asked to be forgotten would be there still", "drop: is it committed before it returns?"
        )
        log.same("versions below 3 were dropped, and the log opened once more", [log.commit(3)], log.again().log(), why)


class Appends:
    """A commit is stored if and only if its key and version are free, each by itself."""

    def test_a_taken_version_is_refused(self, log: StoreBench) -> None:
        """Of two commits to the same version the second is told False, and leaves no trace."""
        first, second = log.commit(body='"first"'), log.commit(body='"second"')
        log.stored(first)
        if log.append(second) != [False]:
            did = "version 1 was appended a second time, with another body"
            raise broken(did=did, should="answer False", but="it answered True", why=_TWICE)
        log.same("version 1 was appended twice, with different bodies", [first], log.log(), _TWICE)

    def test_the_same_commit_is_refused_as_well(self, log: StoreBench) -> None:
        """A commit that is appended again, to the letter, is told False: it may be another run's."""
        log.stored(log.commit())
        if log.append(log.commit()) != [False]:
            did = "the very same commit was appended twice"
            raise broken(did=did, should="answer False the second time", but="it answered True", why=_TWICE)

    def test_a_version_twice_in_one_append_is_taken_once(self, log: StoreBench) -> None:
        """Of two commits to one version in one call the first is stored."""
        said = log.append(log.commit(body='"first"'), log.commit(body='"second"'))
        if said != [True, False]:
            did = "one append was given version 1 of the same key twice"
            raise broken(did=did, should="answer True, False", but=f"it answered {said}", why=_TWICE)
        log.same(
            "one append was given version 1 of the same key twice", [log.commit(body='"first"')], log.log(), _TWICE
        )

    def test_each_commit_of_a_wave_stands_alone(self, log: StoreBench) -> None:
        """One commit whose version is taken refuses none of the others in its call."""
        names = [f"customer/C{n}" for n in range(5)]
        log.stored(log.commit(name=names[2], body='"first"'))
        wave = [log.commit(name=name) for name in names]
        said, did = log.append(*wave), "five commits were appended at once, of which the third one's version is taken"
        if said != [True, True, False, True, True]:
            should = "answer True, True, False, True, True"
            raise broken(did=did, should=should, but=f"it answered {said}", why=_ALONE)
        found = [one for one in log.load(*(commit.key for commit in wave)) if one]
        if len(found) != len(wave):
            should = "store the other four"
            raise broken(did=did, should=should, but=f"{len(wave) - len(found)} of them are not there", why=_ALONE)

    def test_a_version_is_free_whatever_else_is_there(self, log: StoreBench) -> None:
        """A version that nobody took is free, also behind a gap, in it, and for another key."""
        first, later, between = log.commit(1), log.commit(7), log.commit(4)
        for commit in (first, later, between):
            log.stored(commit)
        log.stored(log.commit(4, name="customer/C2"))
        why = Why("a run that wrote after others were dropped could not go on", "append: only (key, version) counts")
        log.same("versions 1, 7 and 4 were appended one by one", [first, between, later], log.log(), why)

    def test_many_commits_fit_into_one_append(self, log: StoreBench) -> None:
        """A thousand commits in one call are stored and told of one by one, and load together."""
        wave = [log.commit(name=f"customer/C{n}", body=f'{{"n":{n}}}') for n in range(1000)]
        log.stored(*wave)
        logs = log.load(*(commit.key for commit in wave))
        wrong = [commit for commit, found in zip(wave, logs, strict=True) if found != [commit]]
        if wrong:
            raise broken(
                did="a thousand commits to as many keys were appended at once, and loaded at once",
                should="give each key its commit",
                but=f"{len(wrong)} have not got it, the first of them {log.short(wrong[0].key)}",
                why=Why(_LOST.harm, "append and load: does the database limit the parameters of one statement?"),
            )

    def test_an_append_of_nothing_is_nothing(self, log: StoreBench) -> None:
        """No commits get no answers, and no keys no logs."""
        log.append()
        log.load()


class Races:
    """Of several who want a version at the same time, one gets it."""

    def test_of_appends_that_race_one_wins(self, log: StoreBench) -> None:
        """Of four callers that append the same version at once, exactly one is told True, and its body is there."""
        for number in range(_ROUNDS):
            _raced(log, [log.store] * _RACERS, f"customer/R{number}")

    def test_of_processes_that_race_one_wins(self, log: StoreBench) -> None:
        """So it is where each has opened the log for itself, as two runs on two machines do."""
        stores = [log.store, *(log.other() for _ in range(_RACERS - 1))]
        for number in range(_ROUNDS // 2):
            _raced(log, stores, f"customer/P{number}")


def _raced(log: StoreBench, stores: list[SyncLogStore], name: str) -> None:
    versions = range(1, _VERSIONS + 1)
    wanted = [[[log.commit(version, f'"by {who}"', name)] for version in versions] for who in range(len(stores))]
    said = log.race(stores, wanted)
    found: dict[int, Commit] = {commit.version: commit for commit in log.log(name)}
    for place, version in enumerate(versions):
        did = f"{len(stores)} callers appended version {version} of the same key at the same time"
        winners = [who for who, answers in enumerate(said) if answers[place]]
        if len(winners) != 1:
            raise broken(did=did, should="answer one of them True", but=f"it told {len(winners)} so", why=_TWICE)
        expected, stored = wanted[winners[0]][place], [found[version]] if version in found else []
        if stored != expected:
            but = f"there is {told(stored)}"
            raise broken(did=did, should=f"keep the winner's, {told(expected)}", but=but, why=_TWICE)
