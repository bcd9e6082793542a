"""What a storefront shows: everybody, as they are now, and nobody else."""

from collections.abc import Mapping
from typing import Final

import pytest
from attrs import evolve

from acumatica_b2b.actions import CreateCompany
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok
from acumatica_b2b.model import Company, CompanyID, CompanyRef, NoteID, UserID
from acumatica_b2b.testing.contract.broken import Why, broken
from acumatica_b2b.testing.contract.shop_actions import creating, removing, told_error
from acumatica_b2b.testing.contract.shop_bench import ShopBench
from acumatica_b2b.testing.contract.shop_made import (
    Home,
    Person,
    new_company,
    new_user,
    nowhere,
    seen_company,
    seen_user,
)

_DELETED: Final = "the engine would take the missing users for deleted by people, and never make them again"


class Reads:
    """Everybody is shown, as they are now."""

    def test_every_user_is_listed(self, shop: ShopBench) -> None:
        """A company shows all its users, however many pages they take."""
        home = shop.company()
        actions = [creating(home.id, new_user(shop.traits), shop.traits.user_role) for _ in range(shop.traits.many)]
        made = {shop.done(a, outcome) for a, outcome in zip(actions, shop.perform(*actions), strict=True)}
        expected = frozenset({home.admin.id, *made})
        listed = shop.until(lambda: [user.id for user in shop.seen(home).users], lambda ids: expected <= {*ids})
        if sorted(listed) != sorted(expected):
            but = f"observe lists {len(listed)}, of whom {len(expected & {*listed})} are its own"
            why = Why(_DELETED, "observe: the pages of the list of users; do you ask for the next one until the last?")
            raise broken(did=f"a company got {len(expected)} users", should="list each once", but=but, why=why)

    def test_a_whole_listing_is_complete(self, shop: ShopBench) -> None:
        """A company whose users were all listed says that it is complete."""
        home = shop.company()
        shop.user(home)
        if not shop.until(lambda: shop.seen(home).complete, bool):
            why = Why("nobody would ever be removed from it: absence means nothing there", "observe: Company.complete")
            but = "it says complete=False"
            raise broken(did="observe of a company with two users", should="be complete", but=but, why=why)

    def test_a_company_that_is_not_there_is_none(self, shop: ShopBench) -> None:
        """A company of an unknown id, and one of an unknown external id, is None and no error."""
        new, home = new_company(shop.traits), shop.company()
        unknown = CompanyRef(customer=new.customer, external_id=new.external_id)
        part = evolve(home.by_external_id, external_id=NoteID(home.wanted.external_id[:8]))
        refs = {"id": evolve(unknown, id=nowhere(shop.traits)), "external id": unknown, "part of an external id": part}
        why = Why(
            "no company could be made for a new customer, or a stranger's would be taken", "observe: no such record"
        )
        for name, outcome in zip(refs, shop.observe(*refs.values()), strict=True):
            if outcome != Ok(None):
                did = f"observe by an {name} that no company has".replace("an part", "a part")
                raise broken(did=did, should="answer Ok(None)", but=f"it answered {outcome!r}", why=why)

    def test_a_company_is_found_by_its_external_id(self, shop: ShopBench) -> None:
        """A company is found by its external id as it is by its id."""
        home = shop.company()
        why = Why(
            "a lost log would end in second companies instead of found ones", "observe where CompanyRef.id is None"
        )

        def look() -> dict[str, object]:
            (outcome,) = shop.observe(home.by_external_id)
            found = outcome.value if isinstance(outcome, Ok) else None
            return {"id": found.id, "users": len(found.users)} if found else {}

        shop.shows("observe by the external id", look, {"id": home.id, "users": 1}, why)

    def test_two_companies_of_one_external_id_are_told(self, shop: ShopBench) -> None:
        """Where two companies can have one external id, to look by it fails with AMBIGUOUS."""
        home = shop.company()
        twin = evolve(new_company(shop.traits), external_id=home.wanted.external_id)
        admin = new_user(shop.traits) if shop.can.admin_at_creation else None
        (made,) = shop.perform(CreateCompany(company=twin, admin=admin, role=shop.traits.primary_role))
        if isinstance(made, Failed):
            return  # the shop keeps external ids unique
        shop.made.append(CompanyID(made.value))
        second = Home(id=CompanyID(made.value), wanted=twin, admin=home.admin)
        shop.change_company(second, ("external_id", twin.external_id))
        shop.settle()  # a client may remember for a run whom it found
        (outcome,) = shop.observe(home.by_external_id)
        match outcome:
            case Failed(RejectedError(reason=Reason.AMBIGUOUS)):
                return
            case Failed(error):
                but = f"it failed with {told_error(error)}"
            case Ok(found):
                but = f"it answered company {found.id if found else None!r}"
        why = Why(
            "users would be put into whichever comes first", "observe where CompanyRef.id is None: more than one hit"
        )
        did = f"observe by the external id of companies {home.id!r} and {made.value!r}"
        raise broken(did=did, should="fail with RejectedError(Reason.AMBIGUOUS)", but=but, why=why)

    def test_many_companies_are_observed_at_once(self, shop: ShopBench) -> None:
        """Of many companies in one call each is shown with its own users."""
        homes = [shop.company() for _ in range(shop.traits.companies)]
        expected = {home.id: frozenset({home.admin.wanted.email}) for home in homes}

        def look() -> dict[CompanyID, frozenset[str]]:
            found = [o.value for o in shop.observe(*(home.ref for home in homes)) if isinstance(o, Ok)]
            return {one.id: frozenset(user.email.lower() for user in one.users) for one in found if one}

        seen = shop.until(look, lambda seen: seen == expected)
        if seen != expected:
            wrong = [key for key in expected if seen.get(key) != expected[key]]
            why = Why("people of one customer would be taken for another's", "observe: what it does with many at once")
            but = f"{len(wrong)} of them, such as {wrong[0]!r}, are missing or show others"
            raise broken(did=f"observe({len(homes)} companies)", should="show each with its admin", but=but, why=why)

    def test_a_look_without_addresses_shows_all_else(self, shop: ShopBench) -> None:
        """A company whose addresses nobody looks at shows its own fields and all its users as ever."""
        home = shop.company()
        shop.user(home)
        bare = evolve(home.ref, addresses=False)
        why = Why("its people would be taken for gone", "observe where CompanyRef.addresses is False")
        should = _people(shop.seen(home))

        def look() -> Mapping[str, object]:
            (outcome,) = shop.observe(bare)
            return _people(outcome.value) if isinstance(outcome, Ok) and outcome.value else {}

        shop.shows("observe(CompanyRef(addresses=False))", look, should, why)

    def test_users_are_found_in_any_case(self, shop: ShopBench) -> None:
        """An e-mail address is found however its letters are cased."""
        home = shop.company()
        person = shop.user(home)
        why = Why("the engine would think the address free, and its creation would be refused for ever", "find_users")
        for email in (person.wanted.email.upper(), person.wanted.email.title()):

            def look(email: str = email) -> dict[str, object]:
                found = shop.holder(email)
                return {"id": found.id} if found else {}

            shop.shows(f"find_users with {email!r}", look, {"id": person.id}, why)

    def test_nobody_is_found_by_a_like_address(self, shop: ShopBench) -> None:
        """An address that only resembles a user's is nobody's: a part of it, a longer one, one with a tag or no dot."""
        home = shop.company()
        email = shop.user(home).wanted.email
        name, _, domain = email.partition("@")
        likes = (
            email[1:],
            f"x{email}",
            f"{name}+tag@{domain}",
            f"{name.replace('.', '')}@{domain}",
            f"{email}.uk",
            name,
        )
        why = Why("a stranger would be taken for the contact", "find_users: compare whole addresses, without case")
        for like in likes:
            found = shop.holder(like)
            if found:
                did = f"find_users with {like!r}, where a user has {email!r}"
                raise broken(did=did, should="answer Ok(None)", but=f"it answered user {found.id!r}", why=why)

    def test_users_are_found_over_all_companies(self, shop: ShopBench) -> None:
        """A user of any company is found, with its company, and shown as its company shows it."""
        homes = [shop.company(), shop.company()]
        why = Why("an address of another company would seem free", "find_users: the whole store, no company's list")
        for home in homes:

            def look(home: Home = home) -> dict[str, object]:
                found = shop.holder(home.admin.wanted.email)
                return {"id": found.id, **seen_user(found)} if found else {}

            should = {**shop.user_seen(home, home.admin.id), "id": home.admin.id, "company": home.id}
            shop.shows("find_users with an address of each company", look, should, why)

    def test_external_ids_come_back_unchanged(self, shop: ShopBench) -> None:
        """The external id of a user, and that of a company, is shown as it was sent."""
        home = shop.company()
        person = shop.user(home)
        why = Why(
            "who lost the log would not find its users again, and every run would write the id anew", "external_id"
        )
        shop.shows(
            "perform(CreateUser with an external id)",
            lambda: shop.user_seen(home, person.id),
            {"external_id": person.wanted.external_id},
            why,
        )
        should = {"external_id": home.wanted.external_id}
        shop.shows("a company with an external id", lambda: seen_company(shop.seen(home)), should, why)

    def test_role_names_come_back_as_given(self, shop: ShopBench) -> None:
        """A role is shown by the name that it was given by."""
        home = shop.company()
        person = shop.user(home)
        why = Why(
            "the engine would not know who is Primary Admin, and give the role again in every run", "observe: role"
        )
        for one in (home.admin, person):

            def look(user: UserID = one.id) -> Mapping[str, object]:
                return shop.user_seen(home, user)

            shop.shows(f"a user got the role {one.role!r}", look, {"role": one.role}, why)

    def test_extra_fields_are_kept(self, shop: ShopBench) -> None:
        """An extra field is shown as it was sent, at the creation and at a change."""
        if not (name := shop.traits.extra_field):
            pytest.skip("the traits name no extra field")
        home = shop.company()
        person, field = shop.user(home), f"extra_fields.{name}"
        why = Why("the engine would write the field in every run", "extra_fields in perform and observe")
        created = {field: dict(person.wanted.extra_fields)[name]}
        shop.shows("perform(CreateUser with an extra field)", lambda: shop.user_seen(home, person.id), created, why)
        shop.change(person, (field, "Anew"))
        shop.shows("perform(UpdateUser of it)", lambda: shop.user_seen(home, person.id), {field: "Anew"}, why)

    def test_a_read_right_after_a_write_sees_it(self, shop: ShopBench) -> None:
        """What was written is seen by the next reading, every time."""
        home, fresh = shop.company(), new_user(shop.traits)
        why = Why(
            "the engine would take a step twice, or give up on what worked", "a cache or a replica behind the reading"
        )
        shop.holder(fresh.email)  # who remembers that it is nobody's has to look again
        person = Person(id=shop.create(home, fresh), company=home.id, wanted=fresh, role=shop.traits.user_role)

        def look() -> Mapping[str, object]:
            found = shop.holder(fresh.email)
            return {"id": found.id} if found else {}

        shop.shows("find_users after CreateUser", look, {"id": person.id}, why)
        for name in ("Bea", "Cleo", "Dora"):
            shop.change(person, ("first_name", name))
            should = {"first_name": name}
            shop.shows("observe after each of 3 changes", lambda: shop.user_seen(home, person.id), should, why)
        shop.do(removing(person))
        if shop.until(lambda: shop.holder(fresh.email), lambda found: found is None):
            but = "it answered the user that was removed"
            raise broken(did="find_users after RemoveUser", should="answer Ok(None)", but=but, why=why)


def _people(company: Company) -> dict[str, object]:
    """Return what a company shows besides addresses."""
    return {**seen_company(company), "users": {*company.users}, "complete": company.complete}
