"""What a contract makes in a storefront: records with names and addresses that nobody else has."""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from attrs import evolve, field, frozen

from acumatica_b2b.model import (
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    LocationID,
    NoteID,
    PostalAddress,
    StorefrontID,
    UserID,
)
from acumatica_b2b.protocols import Clock
from acumatica_b2b.runtime import SystemClock

_AUSTIN: Final = PostalAddress(line1="1 Main St", city="Austin", state="TX", postal_code="78701", country="US")
_BOSTON: Final = PostalAddress(line1="2 High St", city="Boston", state="MA", postal_code="02108", country="US")


def as_it_is(_: str, value: str, /) -> str:
    """Return the value: the shop keeps what it is given."""
    return value


@frozen(kw_only=True)
class ShopTraits:
    """What a check has to know of a shop beside its capabilities.

    `primary_role`, `user_role` and `other_role` are three roles that it has; without `other_role` what
    needs a third is skipped. `patience` is for how many seconds a reading may not show yet what was
    written; `kept(field, value)` returns what the shop makes of a value, such as the digits of a phone.
    """

    primary_role: str = "Admin"
    user_role: str = "Senior Buyer"
    other_role: str = "Junior Buyer"
    patience: float = 0.0
    pause: float = 0.5
    """Seconds between two looks."""
    many: int = 60
    """How many users a company gets to see whether all are listed: more than a page of the shop has."""
    companies: int = 12
    """How many companies are looked at in one call."""
    unknown_id: str = "999999999"
    """The id of no company, in the form that the shop's ids have."""
    extra_field: str = ""
    """An extra field of users that the shop keeps; without one what needs it is skipped."""
    domain: str = "contract.example"
    """Where all e-mail addresses that are made have their mailbox."""
    places: tuple[PostalAddress, PostalAddress] = (_AUSTIN, _BOSTON)
    phones: tuple[str, str] = ("5125550100", "6175550199")
    kept: Callable[[str, str], str] = as_it_is
    clock: Clock = field(factory=SystemClock, repr=False, eq=False)


@frozen(kw_only=True)
class Home:
    """A company that was made, and as what."""

    id: CompanyID
    wanted: DesiredCompany
    admin: "Person"

    @property
    def ref(self) -> CompanyRef:
        """The way to it by its id."""
        return evolve(self.by_external_id, id=self.id)

    @property
    def by_external_id(self) -> CompanyRef:
        """The way to it by its external id alone."""
        return CompanyRef(customer=self.wanted.customer, external_id=self.wanted.external_id)


@frozen(kw_only=True)
class Person:
    """A company user that was made, and as what."""

    id: UserID
    company: CompanyID
    wanted: DesiredUser
    role: str


# ------------------------------------------------------------------ new records
def new_company(traits: ShopTraits) -> DesiredCompany:
    """Return a company that there is not yet."""
    mark = uuid4().hex[:12]
    return DesiredCompany(
        customer=CustomerID(f"C{mark}"),
        external_id=NoteID(str(uuid4())),
        name=f"Contract {mark}",
        email=f"office.{mark}@{traits.domain}",
        phone=traits.phones[0],
        address=traits.places[0],
    )


def new_user(traits: ShopTraits) -> DesiredUser:
    """Return a user that there is not yet."""
    mark = uuid4().hex[:12]
    extra = ((traits.extra_field, "Buyer in chief"),) if traits.extra_field else ()
    return DesiredUser(
        contact=ContactID(mark),
        external_id=NoteID(str(uuid4())),
        email=f"ann.{mark}@{traits.domain}",
        first_name="Ann",
        last_name="Contract",
        phone=traits.phones[0],
        extra_fields=extra,
    )


def new_address(traits: ShopTraits) -> DesiredAddress:
    """Return an address that there is not yet, a default of neither kind."""
    mark = uuid4().hex[:6]
    return DesiredAddress(
        location=LocationID(mark.upper()),
        external_id=NoteID(str(uuid4())),
        label=f"Dock {mark}",
        first_name="Ann",
        last_name="Contract",
        phone=traits.phones[0],
        address=traits.places[0],
    )


def nowhere(traits: ShopTraits) -> CompanyID:
    """Return the id of no company."""
    return CompanyID(StorefrontID(traits.unknown_id))


# ------------------------------------------------------------------ as it is compared
def company_view(company: DesiredCompany, traits: ShopTraits) -> dict[str, object]:
    """Return the fields that a company must show."""
    fields = {"name": company.name, "email": company.email, "phone": company.phone}
    return {**_kept(fields, traits), "external_id": company.external_id, "active": True}


def person_view(person: Person, traits: ShopTraits) -> dict[str, object]:
    """Return the fields that a user must show."""
    return {"company": person.company, **user_view(person.wanted, traits), "role": person.role}


def user_view(user: DesiredUser, traits: ShopTraits) -> dict[str, object]:
    """Return the fields that a user must show, wherever it is."""
    fields = {"email": user.email, "first_name": user.first_name, "last_name": user.last_name, "phone": user.phone}
    extra = {f"extra_fields.{name}": value for name, value in user.extra_fields}
    return {**_kept({**fields, **extra}, traits), "external_id": user.external_id, "active": True}


def address_view(address: DesiredAddress, traits: ShopTraits) -> dict[str, object]:
    """Return the fields that an address must show."""
    fields = {"label": address.label, "first_name": address.first_name, "last_name": address.last_name}
    place = {f"address.{name}": getattr(address.address, name) for name in _PLACE}
    defaults = {"default_shipping": address.default_shipping, "default_billing": address.default_billing}
    kept = _kept({**fields, "phone": address.phone, **place}, traits)
    return {**kept, **defaults, "external_id": address.external_id}


def seen_user(user: CompanyUser) -> dict[str, object]:
    """Return the fields of a user under the same names; addresses and external ids mean the same in any case."""
    extra = {f"extra_fields.{name}": value for name, value in user.extra_fields}
    return {**_fields(user, _USER), **extra, **_lowered(user, ("email", "external_id"))}


def seen_address(address: CompanyAddress) -> dict[str, object]:
    """Return the fields of an address under the same names."""
    place = {f"address.{name}": getattr(address.address, name) for name in _PLACE}
    return {**_fields(address, _ADDRESS), **place, **_lowered(address, ("external_id",))}


def seen_company(company: object) -> dict[str, object]:
    """Return the fields of a company under the same names."""
    return {**_fields(company, _COMPANY), **_lowered(company, ("external_id",))}


_COMPANY: Final = ("name", "email", "phone", "active")
_USER: Final = ("company", "first_name", "last_name", "phone", "role", "active")
_ADDRESS: Final = ("label", "first_name", "last_name", "phone", "default_shipping", "default_billing")
_PLACE: Final = ("line1", "line2", "city", "state", "postal_code", "country")


def _kept(fields: Mapping[str, str], traits: ShopTraits) -> dict[str, object]:
    return {name: traits.kept(name, value) for name, value in fields.items()}


def _fields(record: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(record, name) for name in names}


def _lowered(record: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: str(getattr(record, name)).lower() for name in names}
