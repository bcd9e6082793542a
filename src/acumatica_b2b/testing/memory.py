"""An ERP and a storefront in memory, for unit tests of this library and of its hosts.

Both keep to the protocols and to the rules of the systems they stand for: an e-mail address is held
by one user of the whole store, a company keeps its last user. Edits by people are methods of their
own; they count neither as requests nor as writes.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, assert_never

from attrs import define, evolve, field, frozen

from acumatica_b2b.actions import (
    Action,
    Changes,
    CreateAddress,
    CreateCompany,
    CreateUser,
    MoveAdmin,
    RemoveAddress,
    RemoveUser,
    SetRole,
    UpdateAddress,
    UpdateCompany,
    UpdateUser,
)
from acumatica_b2b.errors import ConfigurationError, Reason, RejectedError
from acumatica_b2b.flow import Failed, Ok, Outcome
from acumatica_b2b.model import (
    AddressID,
    Capabilities,
    Company,
    CompanyAddress,
    CompanyID,
    CompanyRef,
    CompanyUser,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    DesiredAddress,
    DesiredUser,
    HandOver,
    Location,
    NoteID,
    RecordKind,
    Reference,
    StorefrontID,
    UserID,
)
from acumatica_b2b.protocols import (
    ChangedSince,
    Cursor,
    Erp,
    Everything,
    KnowsRoles,
    KnowsShoppers,
    Page,
    PrimaryMarks,
    Query,
    Storefront,
    Watermark,
)

R = TypeVar("R", Contact, Location)
A = TypeVar("A", Customer, Contact, Location)
U = TypeVar("U", Company, CompanyUser)

_BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)


def _nothing() -> None:
    """Do nothing."""


def _gone(key: str, kind: str, company: CompanyID | None = None) -> RejectedError:
    where = "" if company is None else f" in company {company!r}"
    return RejectedError(Reason.GONE, f"there is no {kind} {key!r}{where}")


# ------------------------------------------------------------------ the ERP
@define(kw_only=True, eq=False)
class MemoryErp:
    """Customers with contacts and locations, read by pages and written to by commerce reference ID only.

    Every change moves a counter, which is the watermark and, as seconds, the stamp `modified` of the
    changed record. A deletion leaves no stamp, and `stamps_primary=False` lets the primary mark leave
    none either.
    """

    page_size: int = 100
    reference_length: int = 40
    cuts: bool = False
    """Cut a longer reference without a word instead of refusing it."""
    stamps_primary: bool = True
    on_write: Callable[[], None] = field(default=_nothing, repr=False)
    """Called after every single write that took effect."""
    requests: int = field(default=0, init=False)
    writes: int = field(default=0, init=False)
    _customers: dict[CustomerID, Customer] = field(factory=dict[CustomerID, Customer], init=False, repr=False)
    _unattached: dict[ContactID, Contact] = field(factory=dict[ContactID, Contact], init=False, repr=False)
    _whose: dict[ContactID, CustomerID | None] = field(
        factory=dict[ContactID, CustomerID | None], init=False, repr=False
    )
    _highest: int = field(default=0, init=False, repr=False)
    _ticks: int = field(default=0, init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)

    # ---- as the sync sees it
    def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers in the order of their ids."""
        with self._lock:
            self.requests += 1
            began, _, behind = (after or f"{self._ticks} ").partition(" ")
            found = sorted(key for key, held in self._customers.items() if key > behind and _asked(query, held))
            page = found[: self.page_size]
            return Page(
                items=tuple(_shown(query, self._customers[key]) for key in page),
                next=Cursor(f"{began} {page[-1]}") if len(found) > len(page) else None,
                watermark=Watermark(began),
            )

    def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        with self._lock:
            self.requests += 1
            return [Ok(self._customers.get(key)) for key in ids]

    def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts, whosever they are now."""
        with self._lock:
            self.requests += 1
            return [Ok(self._contact(key)) for key in ids]

    def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs, nothing else."""
        with self._lock:
            self.requests += 1
            return [self._written(reference) for reference in references]

    # ---- as people edit it
    def snapshot(self) -> dict[CustomerID, Customer]:
        """Return every customer as it is now."""
        with self._lock:
            return dict(self._customers)

    def next_contact_id(self) -> ContactID:
        """Return an id that no contact here ever had."""
        with self._lock:
            return ContactID(str(self._highest + 1))

    def put(self, *customers: Customer) -> None:
        """Add or replace customers whole, with the contacts and locations they have here."""
        with self._lock:
            self._ticks += 1
            for customer in customers:
                self._put(customer)

    def put_contact(self, customer_id: CustomerID, contact: Contact) -> None:
        """Add a contact to a customer, or replace it there."""
        with self._lock:
            customer = self._customers[customer_id]
            kept = {held.id: held for held in customer.contacts} | {contact.id: contact}
            self.put(evolve(customer, contacts=tuple(kept.values())))

    def remove_contact(self, contact_id: ContactID) -> None:
        """Delete a contact; who named it as primary goes on to."""
        with self._lock:
            owner = self._whose.pop(contact_id)
            if owner is None:
                del self._unattached[contact_id]
                return
            customer = self._customers[owner]
            kept = tuple(contact for contact in customer.contacts if contact.id != contact_id)
            self._customers[owner] = evolve(customer, contacts=kept)

    def move_contact(self, contact_id: ContactID, to_customer: CustomerID | None) -> None:
        """Attach a contact to another customer, or to none."""
        with self._lock:
            contact = self._contact(contact_id)
            if contact is None or (to_customer is not None and to_customer not in self._customers):
                raise KeyError(contact_id if contact is None else to_customer)
            self.remove_contact(contact_id)
            if to_customer is not None:
                self.put_contact(to_customer, contact)
                return
            self._ticks += 1
            self._whose[contact_id] = None
            self._unattached[contact_id] = evolve(contact, customer=None, modified=self._now())

    def set_primary(self, customer_id: CustomerID, contact_id: ContactID | None) -> None:
        """Make a contact the customer's primary one, or nobody."""
        with self._lock:
            customer = evolve(self._customers[customer_id], primary_contact=contact_id)
            if self.stamps_primary:
                self.put(customer)
            else:
                self._customers[customer_id] = customer

    def remove_customer(self, customer_id: CustomerID) -> None:
        """Delete a customer; its contacts stay, attached to none."""
        with self._lock:
            for contact in self._customers[customer_id].contacts:
                self.move_contact(contact.id, None)
            del self._customers[customer_id]

    # ---- inside
    def _now(self) -> datetime:
        return _BEGINNING + timedelta(seconds=self._ticks)

    def _contact(self, key: ContactID) -> Contact | None:
        owner = self._whose.get(key)
        if owner is None:
            return self._unattached.get(key)
        return next(contact for contact in self._customers[owner].contacts if contact.id == key)

    def _put(self, new: Customer) -> None:
        for contact in new.contacts:
            if self._whose.get(contact.id, new.id) != new.id:
                message = f"contact {contact.id!r} is not of customer {new.id!r}; move it with move_contact"
                raise ValueError(message)
        old = self._customers.get(new.id)
        held = old or evolve(new, contacts=(), locations=())
        contacts = tuple(evolve(contact, customer=new.id) for contact in new.contacts)
        new = evolve(
            new,
            contacts=self._stamped(held.contacts, contacts),
            locations=self._stamped(held.locations, new.locations),
            modified=held.modified,
        )
        if old is None or evolve(new, contacts=old.contacts, locations=old.locations) != old:
            new = evolve(new, modified=self._now())
        for contact in held.contacts:
            del self._whose[contact.id]
        for contact in new.contacts:
            self._whose[contact.id] = new.id
            self._highest = max(self._highest, int(contact.id) if contact.id.isdecimal() else 0)
        self._customers[new.id] = new

    def _stamped(self, old: Sequence[R], new: Sequence[R]) -> tuple[R, ...]:
        """Return the new records, stamped where they differ from the old."""
        held = {record.id: record for record in old}
        return tuple(
            record
            if record.id in held and evolve(record, modified=held[record.id].modified) == held[record.id]
            else evolve(record, modified=self._now())
            for record in new
        )

    def _written(self, reference: Reference) -> Outcome[None]:
        value = reference.value
        if len(value) > self.reference_length:
            if not self.cuts:
                message = f"the reference of {reference.record} has {len(value)} of {self.reference_length} characters"
                return Failed(RejectedError(Reason.INVALID, message))
            value = value[: self.reference_length]
        try:
            self._refer(reference, value)
        except RejectedError as error:
            return Failed(error)
        self.writes += 1
        self.on_write()
        return Ok(None)

    def _refer(self, reference: Reference, value: str) -> None:
        record, owner = reference.record, reference.customer
        if record.kind is RecordKind.CONTACT:
            contact = self._contact(ContactID(record.id))
            if contact is not None and contact.customer is None:
                self._ticks += 1
                (written,) = self._stamped((contact,), _referring((contact,), reference, value))
                self._unattached[contact.id] = written
                return
            owner = contact.customer if contact is not None and contact.customer else owner
        customer = self._customers.get(owner)
        if customer is None:
            raise _gone(record.id, record.kind.value)
        self.put(_with_reference(customer, reference, value))


def _asked(query: Query, customer: Customer) -> bool:
    match query:
        case Everything() | PrimaryMarks():
            return True
        case ChangedSince(watermark=watermark):
            since = _BEGINNING + timedelta(seconds=int(watermark))
            contacts, locations = customer.contacts, customer.locations
            stamps = (customer.modified, *(c.modified for c in contacts), *(place.modified for place in locations))
            return any(stamp is not None and stamp > since for stamp in stamps)
        case _:
            assert_never(query)


def _shown(query: Query, customer: Customer) -> Customer:
    if not isinstance(query, PrimaryMarks):
        return customer
    marked = customer.primary_contact
    return Customer(id=customer.id, note_id=NoteID(""), name="", primary_contact=marked, complete=False)


def _with_reference(customer: Customer, reference: Reference, value: str) -> Customer:
    match reference.record.kind:
        case RecordKind.CUSTOMER:
            (written,) = _referring((customer,), reference, value)
            return written
        case RecordKind.CONTACT:
            return evolve(customer, contacts=_referring(customer.contacts, reference, value))
        case RecordKind.LOCATION:
            return evolve(customer, locations=_referring(customer.locations, reference, value))
        case _:
            assert_never(reference.record.kind)


def _referring(records: Sequence[A], reference: Reference, value: str) -> tuple[A, ...]:
    """Return the records with a reference set on the one that is meant, which has to be there."""
    if (reference.record.id, reference.note_id) not in {(record.id, record.note_id) for record in records}:
        raise _gone(reference.record.id, reference.record.kind.value)
    return tuple(evolve(record, reference=value) if record.id == reference.record.id else record for record in records)


# ------------------------------------------------------------------ the storefront
@define(kw_only=True, eq=False)
class MemoryShop:
    """Companies with users and addresses.

    `strict` has the server watch over admins itself: under DEMOTE_FIRST it refuses a second holder
    of the primary role, otherwise it refuses to lose a company's last admin. Without it only an
    ATOMIC shop keeps to one holder, and all else is up to the caller, as in BigCommerce.
    """

    hand_over: HandOver = HandOver.PROMOTE_FIRST
    admin_at_creation: bool = False
    addresses: bool = True
    deactivates: bool = False
    changes_email: bool = True
    roles: tuple[str, ...] = ("Admin", "Senior Buyer", "Junior Buyer")
    primary_role: str = "Admin"
    admin_roles: frozenset[str] = frozenset()
    """Further roles that make a user an admin."""
    user_role: str = "Senior Buyer"
    """What the former holder gets when MoveAdmin takes the primary role away."""
    strict: bool = False
    keeps_external_id: bool = True
    """Whether a company's external id survives its creation; else it takes an update."""
    keeps_admin_external_id: bool = True
    """So does that of an admin made along with its company; BigCommerce has no place for it."""
    reserved: set[str] = field(factory=set[str], repr=False)
    """Lower-case addresses that are taken although no company user has them."""
    shoppers: dict[str, str] = field(factory=dict[str, str], repr=False)
    """Who shops here, by lower-case address: everybody who ever was a company user, and people of their own accord."""
    on_write: Callable[[], None] = field(default=_nothing, repr=False)
    """Called after every single action that took effect."""
    requests: int = field(default=0, init=False)
    writes: int = field(default=0, init=False)
    journal: list[Action] = field(factory=list[Action], init=False, repr=False)
    """Every action that took effect, in order."""
    _companies: dict[CompanyID, Company] = field(factory=dict[CompanyID, Company], init=False, repr=False)
    _holders: dict[str, CompanyUser] = field(factory=dict[str, CompanyUser], init=False, repr=False)
    _ids: int = field(default=0, init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)

    # ---- as the sync sees it
    @property
    def capabilities(self) -> Capabilities:
        """What this shop was set to be able to do."""
        return Capabilities(
            hand_over=self.hand_over,
            admin_at_creation=self.admin_at_creation,
            addresses=self.addresses,
            deactivates=self.deactivates,
            deactivates_companies=self.deactivates,
            changes_email=self.changes_email,
        )

    def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        for name in names:
            if (count := self.roles.count(name)) != 1:
                message = f"the shop has {count} roles named {name!r}; name one of {', '.join(self.roles)}"
                raise ConfigurationError(message)

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        with self._lock:
            self.requests += 1
            return [self._observed(ref) for ref in companies]

    def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address, compared without case."""
        with self._lock:
            self.requests += 1
            return [Ok(self._holders.get(_key(email))) for email in emails]

    def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the shopper who has each address, company user or not."""
        with self._lock:
            self.requests += 1
            return [Ok(self.shoppers.get(_key(email))) for email in emails]

    def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions one after another; what the shop refuses leaves it unchanged."""
        with self._lock:
            self.requests += 1
            return [self._performed(action) for action in actions]

    # ---- as people edit it; what the shop refuses raises RejectedError
    def snapshot(self) -> dict[CompanyID, Company]:
        """Return every company as it is now."""
        with self._lock:
            return dict(self._companies)

    def add_company(self, name: str, *, external_id: str = "") -> CompanyID:
        """Make a company without users, by hand."""
        with self._lock:
            company = CompanyID(self._next())
            email = f"company-{company}@people.example"
            self._put(Company(id=company, name=name, email=email, phone="555-0100", external_id=external_id))
            return company

    def add_user(self, company: CompanyID, email: str, *, role: str, external_id: str = "") -> UserID:
        """Make a user by hand."""
        person = DesiredUser(
            contact=ContactID(""),
            external_id=NoteID(external_id),
            email=email,
            first_name="Someone",
            last_name="Else",
        )
        with self._lock:
            return UserID(self._do(CreateUser(company=company, user=person, role=role)))

    def edit_user(self, user: UserID, changes: Changes) -> None:
        """Change fields of a user by hand."""
        with self._lock:
            company = self._company_of(user)
            self._do(UpdateUser(company=company, user=user, contact=ContactID(""), changes=changes))

    def set_role(self, user: UserID, role: str) -> None:
        """Give a user another role by hand; in an ATOMIC shop the primary role moves."""
        with self._lock:
            company = self._company_of(user)
            if self.hand_over is HandOver.ATOMIC and role == self.primary_role:
                self._do(MoveAdmin(company=company, user=user, contact=ContactID(""), role=role))
            else:
                self._do(SetRole(company=company, user=user, contact=None, role=role))

    def delete_user(self, user: UserID) -> None:
        """Delete a user by hand."""
        with self._lock:
            self._do(RemoveUser(company=self._company_of(user), user=user, contact=ContactID("")))

    def delete_company(self, company: CompanyID) -> None:
        """Delete a company and its users by hand."""
        with self._lock:
            for user in self._company(company).users:
                del self._holders[_key(user.email)]
            del self._companies[company]

    # ---- inside
    def _observed(self, ref: CompanyRef) -> Outcome[Company | None]:
        if ref.id is not None:
            return Ok(self._companies.get(ref.id))
        found = [company for company in self._companies.values() if company.external_id == ref.external_id]
        if len(found) > 1:
            message = f"{len(found)} companies have the external id {ref.external_id!r}; leave it on one of them"
            return Failed(RejectedError(Reason.AMBIGUOUS, message))
        return Ok(found[0] if found else None)

    def _performed(self, action: Action) -> Outcome[StorefrontID]:
        try:
            made = self._do(action)
        except RejectedError as error:
            return Failed(error)
        self.writes += 1
        self.journal.append(action)
        self.on_write()
        return Ok(made)

    def _do(self, action: Action) -> StorefrontID:
        match action:
            case CreateCompany():
                return self._create_company(action)
            case UpdateCompany():
                self._put(self._changed(self._company(action.company), action.changes))
                return action.company
            case CreateUser() | UpdateUser() | RemoveUser():
                return self._do_user(action)
            case SetRole() | MoveAdmin():
                return self._do_role(action)
            case CreateAddress() | UpdateAddress() | RemoveAddress():
                return self._do_address(action)
            case _:
                assert_never(action)

    def _create_company(self, action: CreateCompany) -> CompanyID:
        wanted, admin = action.company, action.admin
        if admin is None and self.admin_at_creation:
            raise RejectedError(Reason.INVALID, "a company can't be made without its admin")
        if not wanted.address.country:
            raise RejectedError(Reason.INVALID, "the company has no country")
        made = CompanyID(self._next())
        self._put(
            Company(
                id=made,
                name=wanted.name,
                email=wanted.email,
                phone=wanted.phone,
                external_id=wanted.external_id if self.keeps_external_id else "",
                users=() if admin is None else (self._inline(made, admin, action.role),),
            )
        )
        return made

    def _inline(self, company: CompanyID, admin: DesiredUser, role: str) -> CompanyUser:
        user = _user(UserID(self._next()), company, admin, role)
        return user if self.keeps_admin_external_id else evolve(user, external_id="")

    def _do_user(self, action: CreateUser | UpdateUser | RemoveUser) -> UserID:
        company = self._company(action.company)
        match action:
            case CreateUser(user=wanted, role=role):
                made = _user(UserID(self._next()), company.id, wanted, role)
                self._put(evolve(company, users=(*company.users, made)))
                return made.id
            case UpdateUser(user=key, changes=changes):
                return self._replace(self._changed(self._user(company.id, key), changes))
            case RemoveUser(user=key):
                user = self._user(company.id, key)
                if company.users == (user,):
                    raise RejectedError(Reason.LAST_USER, f"user {key!r} is the last one of company {company.id!r}")
                self._put(evolve(company, users=tuple(u for u in company.users if u.id != key)))
                return key
            case _:
                assert_never(action)

    def _do_role(self, action: SetRole | MoveAdmin) -> UserID:
        company, atomic = self._company(action.company), self.hand_over is HandOver.ATOMIC
        user = self._user(company.id, action.user)
        if isinstance(action, SetRole):
            if atomic and action.role == self.primary_role:
                raise RejectedError(Reason.INVALID, f"role {action.role!r} is moved by MoveAdmin, not set")
            return self._replace(evolve(user, role=action.role))
        if not atomic or action.role != self.primary_role:
            raise RejectedError(Reason.UNSUPPORTED, f"role {action.role!r} can't be moved here")
        former = tuple(evolve(u, role=self.user_role) if u.role == self.primary_role else u for u in company.users)
        users = tuple(evolve(u, role=action.role) if u.id == user.id else u for u in former)
        self._put(evolve(company, users=users))
        return user.id

    def _do_address(self, action: CreateAddress | UpdateAddress | RemoveAddress) -> AddressID:
        if not self.addresses:
            raise RejectedError(Reason.UNSUPPORTED, "the shop keeps no addresses")
        company = self._company(action.company)
        held = {address.id: address for address in company.addresses}
        key = AddressID(self._next()) if isinstance(action, CreateAddress) else action.id
        if not isinstance(action, CreateAddress) and key not in held:
            raise _gone(key, "address", company.id)
        if isinstance(action, RemoveAddress):
            del held[key]
        else:
            made = _address(key, action.address)
            held = {other.id: _yielding(other, made) for other in held.values()} | {key: made}
        self._put(evolve(company, addresses=tuple(held.values())))
        return key

    def _changed(self, record: U, changes: Changes) -> U:
        for name, value in changes:
            match name.partition("."):
                case "extra_fields", _, extra if isinstance(record, CompanyUser):
                    record = evolve(record, extra_fields=tuple({**dict(record.extra_fields), extra: value}.items()))
                case "extra_fields", _, _:
                    pass  # the record has nowhere to keep them
                case _:
                    record = evolve(record, **self._change(record, name, value))
        return record

    def _change(self, record: U, name: str, value: str) -> Mapping[str, Any]:
        fields = _COMPANY_FIELDS if isinstance(record, Company) else _USER_FIELDS
        if name == "active":
            if not self.deactivates:
                raise RejectedError(Reason.UNSUPPORTED, "nothing can be switched off in this shop")
            if value not in _SWITCH:
                raise RejectedError(Reason.INVALID, f"active is yes or no, not {value!r}")
            return {"active": _SWITCH[value]}
        if name not in fields:
            raise RejectedError(Reason.INVALID, f"a {type(record).__name__} has no field {name!r} to change")
        if name == "email" and isinstance(record, CompanyUser) and not self.changes_email:
            raise RejectedError(Reason.UNSUPPORTED, "the e-mail address of a user can't be changed")
        return {name: value}

    def _next(self) -> StorefrontID:
        self._ids += 1
        return StorefrontID(str(self._ids))

    def _company(self, key: CompanyID) -> Company:
        if key not in self._companies:
            raise _gone(key, "company")
        return self._companies[key]

    def _user(self, company: CompanyID, key: UserID) -> CompanyUser:
        for user in self._company(company).users:
            if user.id == key:
                return user
        raise _gone(key, "user", company)

    def _company_of(self, key: UserID) -> CompanyID:
        for user in self._holders.values():
            if user.id == key:
                return user.company
        raise _gone(key, "user")

    def _replace(self, user: CompanyUser) -> UserID:
        company = self._company(user.company)
        self._put(evolve(company, users=tuple(user if u.id == user.id else u for u in company.users)))
        return user.id

    # ---- every write ends here, so the rules of the server are kept in one place
    def _put(self, new: Company) -> None:
        old = self._companies.get(new.id)
        self._require_legal(new)
        keeps_admin = self.strict and self.hand_over is not HandOver.DEMOTE_FIRST
        if keeps_admin and old and self._admins(old) > self._admins(new) == 0:
            raise RejectedError(Reason.LAST_ADMIN, f"company {new.id!r} would be left without an admin")
        for user in old.users if old else ():
            del self._holders[_key(user.email)]
        for user in new.users:
            self._holders[_key(user.email)] = user
            self.shoppers.setdefault(_key(user.email), f"S{len(self.shoppers) + 1}")
        self._companies[new.id] = new

    def _admins(self, company: Company) -> int:
        roles = {self.primary_role, *self.admin_roles}
        return sum(user.role in roles and user.active for user in company.users)

    def _require_legal(self, new: Company) -> None:
        if not (new.name and new.email and new.phone):
            raise RejectedError(Reason.INVALID, f"company {new.id!r} needs name, e-mail and phone")
        for user in new.users:
            key = _key(user.email)
            if not (key and user.first_name and user.last_name) or user.role not in self.roles:
                raise RejectedError(Reason.INVALID, f"user {user.id!r} needs e-mail, both names and a role of the shop")
            holder = self._holders.get(key)
            if key in self.reserved or (holder is not None and holder.id != user.id):
                raise RejectedError(Reason.EMAIL_TAKEN, f"the address of user {user.id!r} is taken")
        one_only = self.hand_over is HandOver.ATOMIC or (self.strict and self.hand_over is HandOver.DEMOTE_FIRST)
        if one_only and sum(user.role == self.primary_role for user in new.users) > 1:
            raise RejectedError(Reason.INVALID, f"company {new.id!r} has its {self.primary_role!r} already")


_SWITCH: Final = {"yes": True, "no": False}
_COMPANY_FIELDS: Final = frozenset({"name", "email", "phone", "external_id"})
_USER_FIELDS: Final = frozenset({"email", "first_name", "last_name", "phone", "external_id"})


def _key(email: str) -> str:
    """Return what an address is compared by: case means nothing in ASCII."""
    return email.strip().encode().lower().decode()


def _user(key: UserID, company: CompanyID, wanted: DesiredUser, role: str) -> CompanyUser:
    return CompanyUser(
        id=key,
        company=company,
        email=wanted.email,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        phone=wanted.phone,
        role=role,
        external_id=wanted.external_id,
        extra_fields=wanted.extra_fields,
    )


def _yielding(held: CompanyAddress, newer: CompanyAddress) -> CompanyAddress:
    """Return an address that has given up what a newer one is now the default for."""
    return evolve(
        held,
        default_shipping=held.default_shipping and not newer.default_shipping,
        default_billing=held.default_billing and not newer.default_billing,
    )


def _address(key: AddressID, wanted: DesiredAddress) -> CompanyAddress:
    where = wanted.address
    if not all((wanted.first_name, wanted.last_name, where.line1, where.city, where.country)):
        raise RejectedError(Reason.INVALID, f"address {key!r} needs both names, street, city and country")
    return CompanyAddress(
        id=key,
        external_id=wanted.external_id,
        label=wanted.label,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        phone=wanted.phone,
        address=where,
        default_shipping=wanted.default_shipping,
        default_billing=wanted.default_billing,
    )


# ------------------------------------------------------------------ awaited
@frozen
class AsyncErpOf:
    """An ERP that answers at once, such as MemoryErp, as `AsyncErp`."""

    erp: Erp

    async def read(self, query: Query, after: Cursor | None, /) -> Page[Customer]:
        """Return one page of customers."""
        return self.erp.read(query, after)

    async def customers(self, ids: Sequence[CustomerID], /) -> Sequence[Outcome[Customer | None]]:
        """Return these customers whole."""
        return self.erp.customers(ids)

    async def contacts(self, ids: Sequence[ContactID], /) -> Sequence[Outcome[Contact | None]]:
        """Return these contacts."""
        return self.erp.contacts(ids)

    async def write_references(self, references: Sequence[Reference], /) -> Sequence[Outcome[None]]:
        """Write commerce reference IDs."""
        return self.erp.write_references(references)


@frozen
class AsyncShopOf:
    """A storefront that answers at once, such as MemoryShop, as `AsyncStorefront`."""

    shop: Storefront

    @property
    def capabilities(self) -> Capabilities:
        """What the shop can do."""
        return self.shop.capabilities

    async def require_roles(self, names: Sequence[str], /) -> None:
        """Raise ConfigurationError unless there is exactly one role of each name."""
        if isinstance(self.shop, KnowsRoles):
            self.shop.require_roles(names)

    async def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now."""
        return self.shop.observe(companies)

    async def find_users(self, emails: Sequence[str], /) -> Sequence[Outcome[CompanyUser | None]]:
        """Return who holds each address."""
        return self.shop.find_users(emails)

    async def find_shoppers(self, emails: Sequence[str], /) -> Sequence[Outcome[str | None]]:
        """Return the id of the shopper who has each address."""
        return self.shop.find_shoppers(emails) if isinstance(self.shop, KnowsShoppers) else [Ok(None) for _ in emails]

    async def perform(self, actions: Sequence[Action], /) -> Sequence[Outcome[StorefrontID]]:
        """Do the actions."""
        return self.shop.perform(actions)
