"""What companies, users and addresses are made of, and how a listing shows which is which."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from acumatica_b2b.actions import CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.bigcommerce.api import Api, Listing, number, since
from acumatica_b2b.bigcommerce.bodies import address_fields, admin_fields, extra_fields, given, price_fields
from acumatica_b2b.bigcommerce.creating import Json, Listed, Sent
from acumatica_b2b.bigcommerce.lists import addresses, companies, users
from acumatica_b2b.bigcommerce.newest import ADDRESSES, COMPANIES, USERS, latest, made_since
from acumatica_b2b.bigcommerce.places import state_name
from acumatica_b2b.bigcommerce.records import (
    CompanyRecord,
    CreatedAddress,
    CreatedCompany,
    CreatedUser,
    One,
    RoleRecord,
    UserRecord,
    decoded,
    folded,
    normal_id,
)
from acumatica_b2b.bigcommerce.roles import role_fields
from acumatica_b2b.errors import Reason, RejectedError
from acumatica_b2b.flow import Flow
from acumatica_b2b.http import Response
from acumatica_b2b.model import DesiredCompany

_NOBODY: Final = "a company is made together with its admin; give the customer a contact that may be it"


@frozen
class Companies:
    """Companies, each with its admin: the API makes none without."""

    api: Api
    path: str = "companies"

    def check(self, action: CreateCompany, /) -> None:
        """Raise RejectedError where there is no admin."""
        if action.admin is None:
            raise RejectedError(Reason.UNSUPPORTED, _NOBODY)

    def name(self, action: CreateCompany, /) -> str:
        """Return what is about to be done."""
        return f"create the company of customer {action.company.customer!r}"

    def email(self, action: CreateCompany, /) -> str:
        """Return the admin's address: the company's own need not be unique."""
        return folded(action.admin.email) if action.admin else ""

    def body(self, action: CreateCompany, /) -> Json:
        """Return the company with its admin."""
        return {**self._fields(action), "acceptCreationEmail": self.api.config.welcome_mail}

    def row(self, action: CreateCompany, /) -> Json:
        """Return the same; only the welcome mail's name differs."""
        return {**self._fields(action), "acceptWelcomeEmail": self.api.config.welcome_mail}

    def made(self, response: Response, /) -> int:
        """Return the company's id."""
        return decoded(response, One[CreatedCompany], self.path).data.company_id

    def wrote(self, action: CreateCompany, /) -> None:
        """Remember nothing: what was read before shows no part of a new company."""

    def listed(self, actions: Sequence[CreateCompany], sent: Sent, /) -> Flow[Listed]:
        """Return the companies by external id; where the shop dropped that, by the admin's address."""
        newest = yield from made_since(self.api, COMPANIES, sent.stamp, sent.turn)
        found = newest or (yield from self._latest(actions, sent))
        listed = yield from self._told(actions, found, sent)
        if listed.proven or None not in listed.ids:
            return listed
        found = yield from companies(self.api, since("minCreated", sent.stamp))
        return (yield from self._told(actions, found, sent))

    def _latest(self, actions: Sequence[CreateCompany], sent: Sent) -> Flow[Listing[CompanyRecord]]:
        """Return the companies of these admins, where all of them are listed: what others write does not hide them."""
        admins = yield from made_since(self.api, USERS, sent.stamp, sent.turn)
        homes = {folded(user.email): user.company_id for user in admins.rows} if admins else {}
        wanted = {homes[email] for action in actions if (email := self.email(action)) in homes}
        if len(wanted) < len(actions):
            return Listing(rows=(), proven=False, read_at=0)
        rows = yield from latest(self.api, wanted, sent.stamp)
        return Listing(rows=tuple(rows.values()), proven=False, read_at=0)

    def _told(self, actions: Sequence[CreateCompany], found: Listing[CompanyRecord], sent: Sent) -> Flow[Listed]:
        name, turn = self.api.config.company_id_field, next(self.api.known.turns)
        by_id: defaultdict[str, list[int]] = defaultdict(list)
        for row in found.rows:
            by_id[row.external_id(name)].append(row.company_id)
        ids = [_sole(by_id[normal_id(action.company.external_id)]) for action in actions]
        nameless = {row.company_id: row for row in found.rows if not row.external_id(name)}
        proven = found.proven
        if None in ids and nameless:
            seen = yield from made_since(self.api, USERS, sent.stamp, sent.turn)
            admins = seen or (yield from users(self.api, since("minCreated", sent.stamp)))
            homes = {folded(user.email): nameless.get(user.company_id) for user in admins.rows}
            pairs = zip(ids, actions, strict=True)
            ids = [_named_alike(action, homes.get(self.email(action))) if id_ is None else id_ for id_, action in pairs]
            proven = proven and admins.proven
        ours = set(ids)
        for row in found.rows:
            if row.company_id in ours and isinstance(row.created_at, int) and row.created_at > sent.stamp > 0:
                self.api.known.made_company(row, sent.stamp, turn)
        return Listed(ids=tuple(ids), proven=proven)

    def _fields(self, action: CreateCompany) -> Json:
        company = action.company
        optional = {
            "addressLine1": company.address.line1,
            "addressLine2": company.address.line2,
            "city": company.address.city,
            "state": state_name(self.api, company.address) or company.address.state,
            "zipCode": company.address.postal_code,
        }
        return {
            "companyName": company.name,
            "companyEmail": company.email,
            "companyPhone": company.phone,
            "country": company.address.country,
            **given(optional),
            **admin_fields(action.admin),
            "uuid": company.external_id,
            "channelIds": list(self.api.config.all_channels),
            **price_fields(self.api.config),
            **extra_fields(self._extra_fields(company)),
        }

    def _extra_fields(self, company: DesiredCompany) -> Mapping[str, str]:
        name = self.api.config.company_id_field
        return {**dict(company.extra_fields), **({} if name is None else {name: company.external_id})}


@frozen
class Users:
    """Users of any companies."""

    api: Api
    roles: Mapping[str, RoleRecord]
    path: str = "users"

    def check(self, action: CreateUser, /) -> None:
        """Raise RejectedError where the company's id, or each site, is none of this store."""
        number(action.company, "company")
        if not self.api.config.channels_of(action.user.sites):
            sites = ", ".join(map(repr, action.user.sites))
            raise RejectedError(Reason.INVALID, f"channels of BigCommerceConfig has no site {sites}; name its channel")

    def name(self, action: CreateUser, /) -> str:
        """Return what is about to be done."""
        return f"create the company user of contact {action.user.contact!r} in company {action.company}"

    def email(self, action: CreateUser, /) -> str:
        """Return the user's address."""
        return folded(action.user.email)

    def body(self, action: CreateUser, /) -> Json:
        """Return the user."""
        user = action.user
        return {
            "firstName": user.first_name,
            "lastName": user.last_name,
            "email": user.email,
            "phoneNumber": user.phone,
            "companyId": number(action.company, "company"),
            **role_fields(self.roles[action.role]),
            "channelIds": list(self.api.config.channels_of(user.sites)),
            "acceptWelcomeEmail": self.api.config.welcome_mail,
            "uuid": user.external_id,
            **extra_fields(dict(user.extra_fields)),
        }

    row = body

    def made(self, response: Response, /) -> int:
        """Return the user's id."""
        return decoded(response, One[CreatedUser], self.path).data.user_id

    def wrote(self, action: CreateUser, /) -> None:
        """Remember that its company may have a user more."""
        if made := self.api.known.made.get(number(action.company, "company")):
            made.users = next(self.api.known.turns)

    def listed(self, actions: Sequence[CreateUser], sent: Sent, /) -> Flow[Listed]:
        """Return the users by e-mail address and company."""
        if home := _only([action.company for action in actions]):
            found = yield from users(self.api, {"companyId": home})
        else:
            newest = yield from made_since(self.api, USERS, sent.stamp, sent.turn)
            found = newest or (yield from users(self.api, since("minCreated", sent.stamp)))
        rows = {(folded(row.email), row.company_id): row for row in found.rows}
        ids = [self._own(a, rows.get((self.email(a), number(a.company, "company")))) for a in actions]
        return Listed(ids=tuple(ids), proven=found.proven)

    def _own(self, action: CreateUser, row: UserRecord | None) -> int | None:
        """Return the id of a user who is this contact's, or may be: nobody's by external id, and never seen before."""
        if row is None:
            return None
        held = normal_id(row.uuid)
        ours = held == normal_id(action.user.external_id) if held else row.id not in self.api.known.users
        return row.id if ours else None


@frozen
class Addresses:
    """Addresses of any companies."""

    api: Api
    path: str = "addresses"

    def check(self, action: CreateAddress, /) -> None:
        """Raise RejectedError where the company's id is none of this store."""
        number(action.company, "company")

    def name(self, action: CreateAddress, /) -> str:
        """Return what is about to be done."""
        return f"create the address of location {action.address.location!r} in company {action.company}"

    def email(self, action: CreateAddress, /) -> str:  # noqa: ARG002 - an address has none; the protocol asks
        """Return nothing: an address has none."""
        return ""

    def body(self, action: CreateAddress, /) -> Json:
        """Return the address."""
        return {
            **address_fields(self.api, action.address),
            **extra_fields(dict(action.address.extra_fields)),
            "companyId": number(action.company, "company"),
        }

    row = body

    def made(self, response: Response, /) -> int:
        """Return the address's id."""
        return decoded(response, One[CreatedAddress], self.path).data.address_id

    def wrote(self, action: CreateAddress, /) -> None:
        """Remember that its company may have an address more."""
        if made := self.api.known.made.get(number(action.company, "company")):
            made.addresses = next(self.api.known.turns)

    def listed(self, actions: Sequence[CreateAddress], sent: Sent, /) -> Flow[Listed]:
        """Return the addresses by external id and company."""
        if home := _only([action.company for action in actions]):
            found = yield from addresses(self.api, {"companyId": home})
        else:
            newest = yield from made_since(self.api, ADDRESSES, sent.stamp, sent.turn)
            found = newest or (yield from addresses(self.api, since("minCreated", sent.stamp)))
        rows = sorted(found.rows, key=lambda row: row.id)
        ids = {(normal_id(row.external_id), str(row.company_id)): row.id for row in rows}
        wanted = ((normal_id(action.address.external_id), str(action.company)) for action in actions)
        return Listed(ids=tuple(map(ids.get, wanted)), proven=found.proven)


def _only(homes: Sequence[str]) -> str | None:
    """Return the company in which all was made, if it is one."""
    return homes[0] if len(set(homes)) == 1 else None


def _named_alike(action: CreateCompany, row: CompanyRecord | None) -> int | None:
    alike = row is not None and folded(row.company_name) == folded(action.company.name)
    return row.company_id if alike and row is not None else None


def _sole(ids: Sequence[int]) -> int | None:
    return ids[0] if len(ids) == 1 else None
