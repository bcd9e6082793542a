"""The shop of a tenant that holds nothing: it has a bit for each company, and what was made of those under way."""

from collections.abc import Sequence
from typing import Final

from attrs import define, field

from acumatica_b2b.actions import Action, CreateAddress, CreateCompany, CreateUser
from acumatica_b2b.flow import Ok, Outcome
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    ContactID,
    HandOver,
    LocationID,
    StorefrontID,
    UserID,
)
from tests.benchmarks.arithmetic import (
    POLICY,
    Tenant,
    address_of,
    contacts_of,
    customer_of,
    email_of,
    is_first,
    locations_of,
    making,
    note_id,
    number_of,
    phone_of,
    shop_id,
)

_CAPABILITIES: Final = Capabilities(hand_over=HandOver.PROMOTE_FIRST, admin_at_creation=True, addresses=True, bulk=10)


@define
class Shop:
    """The tenant's shop: all companies are there, or none at first; then what is made is counted, and no more."""

    tenant: Tenant
    capabilities: Capabilities = _CAPABILITIES
    _begun: dict[int, set[ContactID | LocationID]] = field(factory=dict[int, "set[ContactID | LocationID]"])
    """What was made of companies that are not whole yet."""
    _whole: bytearray = field(factory=bytearray)

    def __attrs_post_init__(self) -> None:
        self._whole = bytearray(int(not self.tenant.fresh).to_bytes() * self.tenant.customers_in_all)

    @making.timed
    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return companies by their id or external id."""
        return [Ok(self.company(number_of(ref.external_id))) for ref in companies]

    @making.timed
    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return nobody: no address is another company's."""
        return [Ok(None) for _ in emails]

    @making.timed
    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Make companies, users and addresses; nothing else has to be done in this shop."""
        return [Ok(self._made(action)) for action in actions]

    def _made(self, action: Action) -> StorefrontID:
        match action:
            case CreateCompany(company=company, admin=admin) if admin:
                number = number_of(company.customer)
                self._begun[number] = {admin.contact}
                return self._counted(number, shop_id(number))
            case CreateUser(company=company, user=user):
                self._begun[int(company) - 1].add(user.contact)
                return self._counted(int(company) - 1, shop_id(number_of(user.contact)))
            case CreateAddress(company=company, address=address):
                self._begun[int(company) - 1].add(address.location)
                return self._counted(int(company) - 1, shop_id(number_of(address.external_id)))
            case _:
                message = f"nothing of the kind has to be done: {action}"
                raise AssertionError(message)

    def _counted(self, customer: int, made: StorefrontID) -> StorefrontID:
        if len(self._begun[customer]) == len(self._users(customer)) + len(locations_of(customer)):
            self._whole[customer] = True
            del self._begun[customer]
        return made

    def company(self, number: int) -> Company | None:
        """Return the company of a customer, as far as it was made."""
        begun = None if self._whole[number] else self._begun.get(number, set())
        if begun is not None and not begun:
            return None
        users, addresses = map(_user, self._users(number)), map(_place, locations_of(number))
        return Company(
            id=CompanyID(shop_id(number)),
            name=f"Supply {number}",
            email=f"office@c{number}.example",
            phone=phone_of(number),
            external_id=note_id(1, number),
            users=tuple(u for u in users if begun is None or ContactID(str(int(u.id) - 1)) in begun),
            addresses=tuple(a for a in addresses if begun is None or LocationID(f"L{int(a.id) - 1}") in begun),
        )

    def _users(self, customer: int) -> list[int]:
        return [contact for contact in contacts_of(customer) if self.tenant.takes_part(contact)]


def _user(contact: int) -> CompanyUser:
    customer = customer_of(contact)
    return CompanyUser(
        id=UserID(shop_id(contact)),
        company=CompanyID(shop_id(customer)),
        email=email_of(contact),
        first_name=f"Ann{contact}",
        last_name="Ames",
        phone=phone_of(contact),
        role=POLICY.primary_role if contact == contacts_of(customer)[0] else POLICY.user_role,
        external_id=note_id(2, contact),
    )


def _place(location: int) -> CompanyAddress:
    return CompanyAddress(
        id=AddressID(shop_id(location)),
        external_id=note_id(3, location),
        label=f"Warehouse {location}",
        first_name="Lou",
        last_name="Lane",
        phone=phone_of(location),
        address=address_of(location),
        default_shipping=is_first(location),
        default_billing=is_first(location),
    )
