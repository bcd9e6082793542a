"""The flows that look: what the log, the shop and the ERP know of one customer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from acumatica_b2b.adopting import adopted
from acumatica_b2b.effects import (
    Claim,
    Claimed,
    FindShopper,
    FindUser,
    IsSuperAdmin,
    Load,
    Now,
    Observe,
    ReadContact,
    Reserve,
    Wish,
)
from acumatica_b2b.errors import DecodeError, Reason, RejectedError
from acumatica_b2b.findings import FindingKind
from acumatica_b2b.flow import Failed, Flow, Ok, ask, ask_all, value_of
from acumatica_b2b.folding import fold
from acumatica_b2b.guard import approval_of_adoption
from acumatica_b2b.keys import address_key, contact_key, customer_key
from acumatica_b2b.logstate import own_contacts
from acumatica_b2b.mapping import DELETED, Desired, contact_record, left_out, passed_over, plain_email
from acumatica_b2b.matching import adoptable, contested, referred
from acumatica_b2b.model import (
    Company,
    CompanyUser,
    ContactID,
    Customer,
    CustomerID,
    StorefrontID,
    Undecoded,
    UserID,
)
from acumatica_b2b.policy import ExistingShoppers, FirstAdmin, Guarded
from acumatica_b2b.proposals import admin_to_be, can_have_users, deleted_company
from acumatica_b2b.synclog import Linked, Unlinked, digest, last_fingerprint, read_body
from acumatica_b2b.terms import LeftToAnotherError, Terms
from acumatica_b2b.whose import Owners
from acumatica_b2b.world import Home, Loaded, World, company_ref, deleted_users, noted


def loaded(read: Customer | Undecoded, terms: Terms) -> Flow[World]:
    """Return the world as far as the ERP and the log know it.

    Raises:
        DecodeError: the customer can't be decoded, or mapped.
        LeftToAnotherError: another runner's lease on this customer is running.

    """
    customer = read.decode() if isinstance(read, Undecoded) else read
    commits = yield from ask(Load(customer_key(terms.policy, customer.id)))
    bodies = [read_body(commit.body) for commit in commits]
    state = fold(bodies)
    now = yield from ask(Now(stage=11))  # before anybody looks: who is read whole keeps in step with its wave
    if until := state.busy_until(now):
        message = f"customer {customer.id!r} is left to another run, or to one that was cut off, until {until:%H:%M:%S}"
        raise LeftToAnotherError(message, until)
    expected = terms.expected.get(customer.id)
    return World(
        customer=customer,
        desired=passed_over(_desired(customer, terms), state.skipped),
        policy=terms.policy,
        capabilities=terms.capabilities,
        state=state,
        version=commits[-1].version if commits else 0,
        first=Loaded(version=commits[0].version, at=bodies[0].at) if commits else None,
        fingerprint=last_fingerprint(commits[-1].body) if commits else "",
        indexed=frozenset(state.contacts),
        may_remove=terms.may_remove,
        allowed=terms.allowed,
        held=terms.held,
        approved=terms.approved,
        expected=expected.steps if expected else None,
        surveyed=terms.surveyed,
    )


def _desired(customer: Customer, terms: Terms) -> Desired:
    if customer.deleted:
        return left_out(customer, DELETED)
    try:
        return terms.mapping(customer, terms.policy)
    except Exception as error:  # a host's own mapping may raise anything
        message = f"the mapping of customer {customer.id!r} raised {type(error).__name__}"
        raise DecodeError(message) from error


def observed(world: World, owners: Owners, company: Company | str | None) -> Flow[World]:
    """Return the world with the shop's side of it, and who is who; for the company see `company_of`.

    It may stand as a survey found it, see `is_surveyed`.
    """
    looked = yield from _looked(world, owners, company)
    if is_surveyed(looked) and not world.planning and any(wish.has != wish.email for wish in _wishes(looked)):
        # to whom an address goes is decided beside others: that must not rest on what was so a while ago
        looked = yield from _looked_now(world, owners)
    return (yield from _told((yield from _claims(looked))))


def observed_now(before: World, world: World, owners: Owners) -> Flow[World]:
    """Return the world as it is, where a survey had shown it; what came of its claims stands."""
    looked = yield from _looked_now(before, owners)
    return (yield from _told(_claimed(looked, Claimed(lost=world.lost, rings=world.rings))))


def is_surveyed(world: World) -> bool:
    """Tell whether its company is shown as a survey found it: that may confirm what we know, and decides nothing."""
    return world.company is not None and world.company.surveyed


def _looked_now(world: World, owners: Owners) -> Flow[World]:
    world = evolve(world, surveyed=False)
    return (yield from _looked(world, owners, (yield from company_of(world))))


def _looked(world: World, owners: Owners, company: Company | str | None) -> Flow[World]:
    """Return the world with its company, and where its contacts are."""
    if isinstance(company, str):
        world, company = evolve(world, ambiguous=company), None
    if company is None and not world.ambiguous:
        world, company = yield from _adoption(world, owners)
    world = yield from _homes(world)
    world = yield from _gone(world)
    return adopted(world, company)


def _told(world: World) -> Flow[World]:
    """Return the world with what is known of others who have its addresses, and of who is no more."""
    world = yield from _outsiders((yield from _holders(world)))
    world = noted(world, *_lost_links(world))
    # what earlier runs left open is answered by what was just observed
    return evolve(world, state=evolve(world.state, open={}))


def observed_again(world: World, *, anew: bool = False) -> Flow[Company | None]:
    """Return the world's company as it is after what was written to it; `anew`, whatever the answers told."""
    if world.company is None:
        return None
    return value_of((yield from ask(Observe(company_ref(world, world.company.id, again=not anew)))))


# ------------------------------------------------------------------ which company
def company_of(world: World) -> Flow[Company | str | None]:
    """Return the company by link, reference, external id or a lost creation; a text says why not."""
    found = yield from _company(world)
    if isinstance(found, str) and world.surveyed:
        return (yield from _company(evolve(world, surveyed=False)))
    return found


def _company(world: World) -> Flow[Company | str | None]:
    ours = {"", world.customer.note_id}
    for identifier in _ids(world):
        outcome = yield from ask(Observe(evolve(company_ref(world, identifier), surveyed=world.surveyed)))
        if isinstance(outcome, Failed) and _is_ambiguous(outcome.error):
            return str(outcome.error)
        company = value_of(outcome)
        # the external id of a customer that was deleted is known no more
        if company and (world.customer.deleted or company.external_id.lower() in ours):
            return company
        if company:
            return f"company {company.id}, which its link or commerce reference ID names, is another customer's"
    return (yield from _lost_creation(world, ours))


def _ids(world: World) -> Iterator[str | None]:
    link = world.state.links.get(world.record)
    named = referred(world.customer.reference, world.policy)
    yield from dict.fromkeys(filter(None, (link.id if link else None, named)))
    if not world.customer.deleted:
        yield None


def _is_ambiguous(error: Exception) -> bool:
    return isinstance(error, RejectedError) and error.reason is Reason.AMBIGUOUS


def _lost_creation(world: World, ours: set[str]) -> Flow[Company | None]:
    """Return the company whose creation was never answered: it is found by its admin's address."""
    emails = [i.step.email for i in world.state.open.values() if i.step.do == "CreateCompany" and i.step.email]
    found = yield from _find(emails)
    for user in found:
        company = value_of((yield from ask(Observe(company_ref(world, user.company)))))
        if company and company.external_id.lower() in ours:
            return company
    return None


def _adoption(world: World, owners: Owners) -> Flow[tuple[World, Company | None]]:
    """Return the one unlinked company that holds the primary's address or most of the contacts'."""
    if not world.policy.adopt_companies or deleted_company(world) or not world.desired.takes_part:
        return world, None
    wanted = contested(world.desired).users
    holders = yield from ask_all(FindUser(user.email) for user in wanted)
    found = [outcome.value if isinstance(outcome, Ok) else None for outcome in holders]
    of_primary = next((u for w, u in zip(wanted, found, strict=True) if w.contact == world.desired.primary), None)
    # who was made of a contact leads to its company, though it be the only one
    made = {u.company for w, u in zip(wanted, found, strict=True) if u and u.external_id.lower() == w.external_id != ""}
    candidates: list[Company] = []
    for identifier in sorted(adoptable(found, of_primary, len(wanted)) | made):
        company = value_of((yield from ask(Observe(company_ref(world, identifier)))))
        if company and not company.external_id and not (yield from owners.have(company.id, world.policy)):
            candidates.append(company)
    match candidates:
        case []:
            return world, None
        case [company]:
            return (yield from _taken_over(world, company))
        case _:
            ids = ", ".join(company.id for company in candidates)
            return evolve(world, ambiguous=f"companies {ids} hold its contacts' addresses"), None


def _taken_over(world: World, company: Company) -> Flow[tuple[World, Company | None]]:
    approved = approval_of_adoption(world.customer.id, company.id) in world.approved
    if world.planning or approved or (yield from ask(Reserve(Guarded.ADOPTIONS, 1))):
        return evolve(world, adopts=company.id), company
    return evolve(world, held=world.held | {Guarded.ADOPTIONS}), None


# ------------------------------------------------------------------ who is where
def _homes(world: World) -> Flow[World]:
    """Return the world with the contacts that another customer's log has a user for."""
    unlinked = [u.contact for u in world.desired.users if contact_record(u.contact) not in world.state.links]
    logs = yield from ask_all(Load(contact_key(world.policy, contact)) for contact in unlinked)
    elsewhere: dict[ContactID, Home] = {}
    index = dict(world.index)
    for contact, commits in zip(unlinked, logs, strict=True):
        index[contact] = commits[-1].version if commits else 0
        home = read_home(commits[-1].body) if commits else None
        if home and home.customer != world.customer.id:
            elsewhere[contact] = home
    return evolve(world, elsewhere=(yield from _confirmed(elsewhere, world)), index=index)


def _confirmed(homes: Mapping[ContactID, Home], world: World) -> Flow[dict[ContactID, Home]]:
    """Return the homes that the customer's own log confirms: it may have been written, and the index not."""
    owners = sorted({home.customer for home in homes.values()})
    logs = yield from ask_all(Load(customer_key(world.policy, owner)) for owner in owners)
    states = {owner: fold(read_body(commit.body) for commit in log) for owner, log in zip(owners, logs, strict=True)}
    return {
        contact: evolve(home, user=states[home.customer].contacts.get(contact, home.user))
        for contact, home in homes.items()
        if contact in own_contacts(states[home.customer])
    }


def read_home(body: str) -> Home | None:
    """Return what the last commit of a contact's index says."""
    match read_body(body).entries:
        case (Linked(record=record, id=user), *_):
            return Home(customer=CustomerID(record.id), user=UserID(StorefrontID(user)))
        case _:
            return None


def _addresses_now(world: World) -> Mapping[ContactID, str]:
    users = world.users
    return {contact: plain_email(users[user].email) for contact, user in world.pairs.users.items()}


def _claims(world: World) -> Flow[World]:
    """Return the world with what its addresses come to beside those of the wave's other customers."""
    if not can_have_users(world):
        return world
    first = admin_to_be(world) if world.company is None else None
    alone = first if first and world.policy.first_admin is FirstAdmin.PRIMARY_ONLY else None
    claim = Claim(_wishes(world), alone.contact if alone else None, surveyed=is_surveyed(world))
    return _claimed(world, (yield from ask(claim)))


def _wishes(world: World) -> tuple[Wish, ...]:
    has, out = _addresses_now(world), deleted_users(world)
    wanted = (user for user in world.contest.users if user.contact not in out)
    return tuple(Wish(contact=u.contact, email=u.email, has=has.get(u.contact, "")) for u in wanted)


def _claimed(world: World, claimed: Claimed) -> World:
    world = evolve(world, rings=claimed.rings)
    return adopted(evolve(world, lost=claimed.lost), world.company) if claimed.lost else world


def _holders(world: World) -> Flow[World]:
    """Return the world with who has the addresses that were taken when they were last asked for."""
    kinds = {
        FindingKind.DUPLICATE_EMAIL,
        FindingKind.EMAIL_OWNED_ELSEWHERE,
        FindingKind.MOVE_WAITS,
        FindingKind.SUPER_ADMIN_EMAIL,
    }
    known = {finding.record for finding in world.state.findings if finding.kind in kinds}
    emails = {user.email for user in world.contest.users if contact_record(user.contact) in known}
    return (yield from holders_asked(world, emails))


def holders_asked(world: World, emails: Iterable[str]) -> Flow[World]:
    """Return the world with who has these addresses in the whole store."""
    asked = sorted(set(emails))
    outcomes = yield from ask_all(FindUser(email) for email in asked)
    found = {email: o.value for email, o in zip(asked, outcomes, strict=True) if isinstance(o, Ok)}
    return evolve(world, holders={**world.holders, **found})


def _outsiders(world: World) -> Flow[World]:
    """Return the world with who has a wanted address without being a company user."""
    if not can_have_users(world):
        return world
    has = _addresses_now(world)
    emails = sorted({user.email for user in world.contest.users if has.get(user.contact) != user.email})
    above = yield from ask_all(IsSuperAdmin(email) for email in emails)
    super_admins = frozenset(e for e, o in zip(emails, above, strict=True) if isinstance(o, Ok) and o.value)
    world = evolve(world, super_admins=super_admins)
    return world if world.policy.existing_shoppers is ExistingShoppers.ADOPT else (yield from _shoppers(world, emails))


def _shoppers(world: World, emails: Sequence[str]) -> Flow[World]:
    """Return the world with who shops with a wanted address and never was a user of ours."""
    outcomes = yield from ask_all(FindShopper(email) for email in emails)
    found = {email: value_of(outcome) for email, outcome in zip(emails, outcomes, strict=True)}
    shoppers = {email: shopper for email, shopper in found.items() if shopper}
    logs = yield from ask_all(Load(address_key(world.policy, digest(email))) for email in shoppers)
    foreign = {e: shopper for (e, shopper), log in zip(shoppers.items(), logs, strict=True) if not log}
    # a company user shops too, and whose that is says more
    return (yield from holders_asked(evolve(world, shoppers=foreign), foreign))


def _find(emails: Iterable[str]) -> Flow[list[CompanyUser]]:
    outcomes = yield from ask_all(FindUser(email) for email in emails)
    return [user for user in map(value_of, outcomes) if user]


def _lost_links(world: World) -> Iterator[Unlinked]:
    """Yield the links of leavers whose user, or whole company, is gone already: nothing is left to be removed."""
    out = {f.record for f in world.desired.findings if f.kind.about.leaves} | {contact_record(c) for c in world.gone}
    gone = world.company is None and world.record in world.state.links and not world.ambiguous
    if not (gone or (world.company and world.company.complete)) or not world.desired.takes_part:
        return
    for contact in sorted(world.state.contacts.keys() - world.linked.keys()):
        if contact_record(contact) in out:
            yield Unlinked(record=contact_record(contact))


def _gone(world: World) -> Flow[World]:
    """Return the world with where the linked contacts are that the customer does not list: read by id."""
    listed = {contact.id for contact in world.customer.contacts}
    absent = sorted(contact for contact in world.state.contacts if contact not in listed)
    if not world.customer.complete:
        return world
    outcomes = yield from ask_all(ReadContact(contact) for contact in absent)
    now = zip(absent, map(value_of, outcomes), strict=True)
    return evolve(world, gone={c: found for c, found in now if found is None or found.customer != world.customer.id})
