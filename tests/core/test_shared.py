"""What several customers of a wave want at once: who gets an address, and who waits for whom in a ring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.effects import Claim, Claimed, Now, Wish
from acumatica_b2b.flow import Batch, run
from acumatica_b2b.model import ContactID
from acumatica_b2b.shared import claims_settled
from tests.bench import FrozenClock

NOTHING = Claimed()


def wish(contact: int, email: str, has: str = "") -> Wish:
    """Return a contact's wish."""
    return Wish(contact=ContactID(str(contact)), email=email, has=has)


def settled(*customers: list[Wish]) -> list[Claimed]:
    """Return what comes of the wishes of several customers, in the order of their ids."""

    def nobody(batch: Batch) -> list[object]:
        raise AssertionError(batch)

    return list(run(claims_settled(tuple(Claim(tuple(wishes)) for wishes in customers)), nobody))


def test_the_first_gets_it() -> None:
    """Of several customers that want one address the first gets it, and the others learn who did."""
    told = settled([wish(9, "x")], [wish(1, "x"), wish(2, "y")], [wish(3, "x")])
    assert told == [NOTHING, Claimed(lost={"x": ContactID("9")}), Claimed(lost={"x": ContactID("9")})]


@pytest.mark.parametrize("turn", [1, -1])
def test_who_has_it_keeps_it(turn: int) -> None:
    """Who has the address already keeps it, wherever its customer stands."""
    customers = [[wish(1, "x", has="z")], [wish(2, "x", has="x")]][::turn]
    (told,) = [told for told in settled(*customers) if told != NOTHING]
    assert told == Claimed(lost={"x": ContactID("2")})


@pytest.mark.parametrize("turn", [1, -1])
def test_who_is_seen_to_have_it_keeps_it(turn: int) -> None:
    """Who was just seen to have the address comes before who had it when the shop was surveyed."""
    past, now = Claim((wish(1, "x", has="x"),), surveyed=True), Claim((wish(2, "x", has="x"),))
    told = run(claims_settled((past, now)[::turn]), lambda batch: [batch])
    assert list(told)[::turn] == [Claimed(lost={"x": ContactID("2")}), NOTHING]


@pytest.mark.parametrize("needs", [None, ContactID("2")])
def test_who_gets_no_company(needs: ContactID | None) -> None:
    """A customer that loses the address which its company needs takes none from anybody else."""
    first, second, third = [wish(1, "x")], [wish(2, "x"), wish(3, "y")], [wish(4, "y")]
    claims = (Claim(tuple(first)), Claim(tuple(second), needs=needs), Claim(tuple(third)))
    told = run(claims_settled(claims), lambda batch: [batch])
    assert told[2] == (Claimed(lost={"y": ContactID("3")}) if needs is None else NOTHING)


def test_who_gets_no_company_and_wants_what_nobody_wants() -> None:
    """A customer that gets no company is told of the lost address only, not of one that nobody else wants."""
    claims = (Claim((wish(1, "x"),)), Claim((wish(2, "x"), wish(3, "z")), needs=ContactID("2")))
    told = run(claims_settled(claims), lambda batch: [batch])
    assert told == [NOTHING, Claimed(lost={"x": ContactID("1")})]


def test_own_addresses() -> None:
    """Who wants an address that nobody else wants loses nothing and waits for nobody."""
    assert settled([wish(1, "x"), wish(2, "y", has="y")], [wish(3, "z", has="q")], []) == [NOTHING] * 3


def test_ring_over_customers() -> None:
    """Contacts of several customers who wait for one another's addresses are told of the whole ring."""
    told = settled([wish(1, "b", has="a"), wish(4, "d", has="d")], [wish(2, "c", has="b")], [wish(3, "a", has="c")])
    (ring,) = {tuple(sorted(ring)) for one in told for ring in one.rings.values()}
    assert ring == ("1", "2", "3")
    assert [set(one.rings) for one in told] == [{"1"}, {"2"}, {"3"}]


def test_chain_is_no_ring() -> None:
    """A chain whose last address is free is no ring."""
    assert settled([wish(1, "b", has="a")], [wish(2, "c", has="b")]) == [NOTHING, NOTHING]


def test_who_lost_is_in_no_ring() -> None:
    """A contact that lost the address it wants waits for nobody: it is in no ring."""
    told = settled([wish(3, "b")], [wish(1, "b", has="a")], [wish(2, "a", has="b")])
    assert all(not one.rings for one in told)


def test_other_effects() -> None:
    """Effects that are no claims pass as they are."""
    moment = FrozenClock().now()
    assert run(claims_settled((Now(), Now())), lambda batch: [moment] * len(batch)) == [moment, moment]


emails = st.sampled_from(("a", "b", "c"))
wishes = st.lists(st.tuples(emails, st.sampled_from(("", "a", "b", "c"))), max_size=5)


@given(wishes)
def test_one_winner_each(drawn: list[tuple[str, str]]) -> None:
    """Every address that is wanted goes to exactly one contact, and all others are told who that is."""
    customers = [[wish(i, email, has)] for i, (email, has) in enumerate(drawn)]
    told = settled(*customers)
    for email in {email for email, _ in drawn}:
        want = [(i, one) for i, one in enumerate(customers) if one[0].email == email]
        losers = {i for i, _ in want if email in told[i].lost}
        assert len(want) - len(losers) == 1
        (winner,) = {i for i, _ in want} - losers
        assert {told[i].lost[email] for i in losers} <= {ContactID(str(winner))}
