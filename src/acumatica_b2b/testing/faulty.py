"""A storefront, an ERP, a store or a transport that fails where a script says so."""

from collections.abc import Sequence
from typing import Final, TypeVar

from attrs import define, evolve, field, frozen

from acumatica_b2b.actions import Action
from acumatica_b2b.errors import OutcomeUnknownError, StoreError
from acumatica_b2b.flow import Failed, Ok, Outcome, value_of
from acumatica_b2b.http import Request, Response, Transport
from acumatica_b2b.model import (
    Capabilities,
    Company,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Reference,
    StorefrontID,
)
from acumatica_b2b.protocols import (
    Commit,
    Cursor,
    Erp,
    KnowsRoles,
    KnowsShoppers,
    KnowsSuperAdmins,
    LogKey,
    Page,
    Query,
    Scrubs,
    Storefront,
    Surveys,
    SyncLogStore,
)
from acumatica_b2b.testing.faults import SAID, Fault, Faults, Manner, Outcomes, Script, Words

T = TypeVar("T")


def faults_of(given: Faults | Script) -> Faults:
    """Return the script being played that was given, or one that begins with it."""
    return given if isinstance(given, Faults) else Faults(given)


def only(answers: Sequence[T]) -> T:
    """Return the one answer to one question."""
    (answer,) = answers
    return answer


# ------------------------------------------------------------------ halves
def half_company(company: Company | None) -> Company | None:
    """Return a company that was not read to its end."""
    if company is None:
        return None
    users, addresses = company.users[: len(company.users) // 2], company.addresses[: len(company.addresses) // 2]
    return evolve(company, users=users, addresses=addresses, complete=False)


def half_customer(customer: Customer | None) -> Customer | None:
    """Return a customer that was not read to its end."""
    if customer is None:
        return None
    contacts, locations = customer.contacts, customer.locations
    return evolve(
        customer,
        contacts=contacts[: len(contacts) // 2],
        locations=locations[: len(locations) // 2],
        complete=False,
    )


@define
class CutPages:
    """The second halves of pages that were cut: what a cursor leads to."""

    rest: dict[Cursor | None, Page[Customer]] = field(factory=dict[Cursor | None, Page[Customer]])

    def half(self, page: Page[Customer]) -> Page[Customer]:
        """Return the first half of a page, whose cursor leads to the second."""
        middle = len(page.items) // 2
        if not middle:
            return page
        cursor = Cursor(f"cut on cue, {len(self.rest) + 1}")
        self.rest[cursor] = evolve(page, items=page.items[middle:])
        return evolve(page, items=page.items[:middle], unreadable=(), strays=(), next=cursor)


def page_of(outcome: Outcome[Page[Customer]] | None) -> Page[Customer]:
    """Return a page, or raise what came instead of it."""
    if isinstance(outcome, Ok):
        return outcome.value
    raise OutcomeUnknownError("the page was left out on cue") if outcome is None else outcome.error


def stored(outcomes: Sequence[Outcome[T]]) -> list[T]:
    """Return what a store answered; what went wrong is a StoreError."""
    answers: list[T] = []
    for outcome in outcomes:
        match outcome:
            case Ok(answer):
                answers.append(answer)
            case Failed(error):
                message = f"the store failed: {error}"
                raise StoreError(message) from error
    return answers


# ------------------------------------------------------------------ what a host may replace
@frozen
class FaultyShop:
    """A storefront with faults; each action and each question is a call of its own."""

    shop: Storefront
    faults: Faults = field(converter=faults_of)

    @property
    def capabilities(self) -> Capabilities:
        """What the storefront can do."""
        return self.shop.capabilities

    def require_roles(self, names: Sequence[str], /) -> None:
        """Ask the storefront, if it knows its roles."""
        if isinstance(self.shop, KnowsRoles):
            self.shop.require_roles(names)

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies, or what the script makes of the questions."""
        return self.faults.play_all(companies, lambda ref: only(self.shop.observe([ref])), half_company)

    def survey(self, companies: int, /) -> None:
        """Ask the storefront, if it takes surveys; what the script makes of it is raised."""
        if not isinstance(self.shop, Surveys):
            return
        shop = self.shop

        def do(count: int) -> Outcome[None]:
            shop.survey(count)
            return Ok(None)

        for outcome in self.faults.play_all([companies], do):
            value_of(outcome)

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return the holders, or what the script makes of the questions."""
        return self.faults.play_all(emails, lambda email: only(self.shop.find_users([email])))

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the shoppers, or what the script makes of the questions; a shop that can't tell has none."""
        if not isinstance(self.shop, KnowsShoppers):
            return [Ok(None) for _ in emails]
        shop = self.shop
        return self.faults.play_all(emails, lambda email: only(shop.find_shoppers([email])))

    def super_admins(self, emails: Sequence[str], /) -> Sequence[Outcome[bool]]:
        """Return who is above all companies, or what the script makes of the questions; where unknown, nobody."""
        if not isinstance(self.shop, KnowsSuperAdmins):
            return [Ok(value=False) for _ in emails]
        shop = self.shop
        return self.faults.play_all(emails, lambda email: only(shop.super_admins([email])))

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions, as far as the script lets them happen."""
        return self.faults.play_all(actions, lambda action: only(self.shop.perform([action])))


@frozen
class FaultyErp:
    """An ERP with faults; a page that meets one is an error raised, or half a page."""

    erp: Erp
    faults: Faults = field(converter=faults_of)
    _cut: CutPages = field(factory=CutPages, init=False, repr=False, eq=False)

    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page, or raise what the script makes of it."""
        rest = self._cut.rest.get(after)
        do = lambda: Ok(rest or self.erp.read(query, after))  # noqa: E731 - an argument
        return page_of(self.faults.play_by(Outcomes(self._cut.half), query, do))

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return the customers, or what the script makes of the questions."""
        return self.faults.play_all(ids, lambda key: only(self.erp.customers([key])), half_customer)

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return the contacts, or what the script makes of the questions."""
        return self.faults.play_all(ids, lambda key: only(self.erp.contacts([key])))

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write the references, as far as the script lets it happen."""
        return self.faults.play_all(references, lambda reference: only(self.erp.write_references([reference])))


@frozen
class FaultyStore:
    """A store with faults; what is no crash and no missing answer is a StoreError."""

    store: SyncLogStore
    faults: Faults = field(converter=faults_of)

    def load(self, keys: Sequence[LogKey], /) -> Sequence[Sequence[Commit]]:
        """Return the commits of each key."""
        return stored(self.faults.play_all(keys, lambda key: Ok(only(self.store.load([key])))))

    def append(self, commits: Sequence[Commit], /) -> Sequence[bool]:
        """Store the commits one by one, as far as the script lets it happen."""
        return stored(self.faults.play_all(commits, lambda commit: Ok(only(self.store.append([commit])))))

    def keys(self, prefix: str, after: LogKey | None, limit: int, /) -> Sequence[LogKey]:
        """Return the keys that begin with `prefix`."""
        found = self.faults.play_all([prefix], lambda _: Ok(self.store.keys(prefix, after, limit)))
        return [key for keys in stored(found) for key in keys]

    def drop(self, key: LogKey, before: int, /) -> None:
        """Forget old commits."""

        def dropped(_: LogKey) -> Outcome[None]:
            self.store.drop(key, before)
            return Ok(None)

        stored(self.faults.play_all([key], dropped))

    def scrub(self) -> None:
        """Leave nothing of what was dropped, as far as the store can tell."""
        if isinstance(self.store, Scrubs):
            self.store.scrub()


# ------------------------------------------------------------------ HTTP
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Please wait</title></head><body>Please wait.</body></html>"
_JSON: Final = (("Content-Type", "application/json"),)
_HTTP_SAID: Final[Words] = {
    **SAID,
    Fault.REFUSED: lambda: Response(status=400, headers=_JSON, body=b'{"title":"refused on cue"}'),
    Fault.RATE_LIMITED: lambda: Response(status=429, headers=(*_JSON, ("Retry-After", "1")), body=b"{}"),
    Fault.GARBLED: lambda: Response(status=200, headers=(("Content-Type", "text/html"),), body=_PAGE),
}


class HttpAnswers(Manner[Response]):
    """Tells of faults as a server, a proxy or a network does."""

    def instead(self, cue: Fault | Exception | Response, /) -> Response:
        """Return the answer that this fault is, or raise it."""
        told = _HTTP_SAID[cue]() if isinstance(cue, Fault) else cue
        if isinstance(told, Response):
            return told
        raise told

    def shortened(self, answer: Response, /) -> Response:
        """Return an answer with half its body."""
        return evolve(answer, body=answer.body[: len(answer.body) // 2])

    def left_out(self) -> Response:
        """Return an answer without a body."""
        return Response(status=200)


@frozen
class FaultyTransport:
    """A transport with faults; each request is a cue.

    REFUSED is a 400, RATE_LIMITED a 429, GARBLED a page of HTML with status 200, SHORTENED half the body,
    LEFT_OUT an empty one. A `Response` in the script is the answer to a request that goes nowhere.
    """

    transport: Transport
    faults: Faults = field(converter=faults_of)

    def send(self, request: Request, /) -> Response:
        """Return the answer, or what the script makes of it."""
        return self.faults.play_by(HttpAnswers(), request, lambda: self.transport.send(request))
