"""What companies, users and addresses are made of, and how a listing shows which is which."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from acumatica_b2b.actions import CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.bigcommerce.api import Api, number, since
from acumatica_b2b.bigcommerce.config import BigCommerceConfig
from acumatica_b2b.bigcommerce.creating import Json, Listed
from acumatica_b2b.bigcommerce.lists import addresses, companies, users
from acumatica_b2b.bigcommerce.places import country_name, state_name
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
from acumatica_b2b.model import DesiredAddress, DesiredCompany, DesiredUser

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

    def listed(self, actions: Sequence[CreateCompany], stamp: int, /) -> Flow[Listed]:
        """Return the companies by external id; where the shop dropped that, by the admin's address."""
        found = yield from companies(self.api, since("minCreated", stamp))
        name = self.api.config.company_id_field
        by_id: defaultdict[str, list[int]] = defaultdict(list)
        for row in found.rows:
            by_id[row.external_id(name)].append(row.company_id)
        ids = [_sole(by_id[normal_id(action.company.external_id)]) for action in actions]
        nameless = {row.company_id: row for row in found.rows if not row.external_id(name)}
        if None not in ids or not nameless:
            return Listed(ids=tuple(ids), proven=found.proven)
        admins = yield from users(self.api, since("minCreated", stamp))
        homes = {folded(user.email): nameless.get(user.company_id) for user in admins.rows}
        pairs = zip(ids, actions, strict=True)
        ids = [_named_alike(action, homes.get(self.email(action))) if id_ is None else id_ for id_, action in pairs]
        return Listed(ids=tuple(ids), proven=found.proven and admins.proven)

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
            **_given(optional),
            **_admin(action.admin),
            "uuid": company.external_id,
            "channelIds": list(self.api.config.all_channels),
            **_prices(self.api.config),
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

    def listed(self, actions: Sequence[CreateUser], stamp: int, /) -> Flow[Listed]:
        """Return the users by e-mail address and company."""
        found = yield from users(self.api, _recent([action.company for action in actions], stamp))
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

    def listed(self, actions: Sequence[CreateAddress], stamp: int, /) -> Flow[Listed]:
        """Return the addresses by external id and company."""
        found = yield from addresses(self.api, _recent([action.company for action in actions], stamp))
        rows = sorted(found.rows, key=lambda row: row.id)
        ids = {(normal_id(row.external_id), str(row.company_id)): row.id for row in rows}
        wanted = ((normal_id(action.address.external_id), str(action.company)) for action in actions)
        return Listed(ids=tuple(map(ids.get, wanted)), proven=found.proven)


def address_fields(api: Api, address: DesiredAddress) -> Json:
    """Return all of an address but its extra fields and whose it is."""
    place, known = address.address, state_name(api, address.address)
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "phoneNumber": address.phone,
        "addressLine1": place.line1,
        "addressLine2": place.line2,
        "city": place.city,
        # a code is for the countries whose states the shop knows; elsewhere it is refused
        **({} if known is None else {"stateCode": place.state.upper()}),
        "stateName": known or place.state,
        "countryCode": place.country,
        "countryName": country_name(api, place) or place.country,
        "zipCode": place.postal_code,
        "label": address.label,
        "externalId": address.external_id,
        "isShipping": True,
        "isBilling": True,
        "isDefaultShipping": address.default_shipping,
        "isDefaultBilling": address.default_billing,
    }


def extra_fields(values: Mapping[str, str], key: str = "extraFields") -> Json:
    """Return extra fields as requests have them; nothing where there are none."""
    rows = [{"fieldName": name, "fieldValue": value} for name, value in values.items()]
    return {key: rows} if rows else {}


def _admin(admin: DesiredUser | None) -> Json:
    if admin is None:
        return {}
    return {
        "adminFirstName": admin.first_name,
        "adminLastName": admin.last_name,
        "adminEmail": admin.email,
        **_given({"adminPhoneNumber": admin.phone}),
        **extra_fields(dict(admin.extra_fields), "userExtraFields"),
    }


def _prices(config: BigCommerceConfig) -> Json:
    """Return what decides on prices; 0 is a value, unlike None."""
    ids = {"catalogId": config.catalog_id, "customerGroupId": config.customer_group_id}
    return {name: id_ for name, id_ in ids.items() if id_ is not None}


def _given(fields: Mapping[str, str]) -> Json:
    return {name: value for name, value in fields.items() if value}


def _recent(homes: Sequence[str], stamp: int) -> Mapping[str, str]:
    """Return the query for what was made in companies just now."""
    return {"companyId": homes[0]} if len(set(homes)) == 1 else since("minCreated", stamp)


def _named_alike(action: CreateCompany, row: CompanyRecord | None) -> int | None:
    alike = row is not None and folded(row.company_name) == folded(action.company.name)
    return row.company_id if alike and row is not None else None


def _sole(ids: Sequence[int]) -> int | None:
    return ids[0] if len(ids) == 1 else None
