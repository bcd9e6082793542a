"""A storefront in memory, for unit tests of this library and of its hosts.

It keeps to the rules of the shops it stands for: an e-mail address is held by one user of the whole
store, a company keeps its last user. Edits by people are methods of their own; they count neither as
requests nor as writes.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, assert_never

from attrs import define, evolve, field

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
    DesiredAddress,
    DesiredUser,
    HandOver,
    Location,
    NoteID,
    StorefrontID,
    UserID,
)

R = TypeVar("R", Contact, Location)
A = TypeVar("A", Customer, Contact, Location)
U = TypeVar("U", Company, CompanyUser)


def _nothing() -> None:
    """Do nothing."""


def _gone(key: str, kind: str, company: CompanyID | None = None) -> RejectedError:
    where = "" if company is None else f" in company {company!r}"
    return RejectedError(Reason.GONE, f"there is no {kind} {key!r}{where}")


def _as_asked(ref: CompanyRef, outcome: Outcome[Company | None]) -> Outcome[Company | None]:
    """Return a company without its addresses where nobody looks at them."""
    found = outcome.value if isinstance(outcome, Ok) else None
    return Ok(evolve(found, addresses=())) if found and not ref.addresses else outcome


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
    _survey: dict[CompanyID, Company] = field(factory=dict[CompanyID, Company], init=False, repr=False)
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

    def survey(self, companies: int, /) -> None:
        """Remember all companies as they are now; 0: none."""
        with self._lock:
            self.requests += bool(companies)
            self._survey = {id_: evolve(it, surveyed=True) for id_, it in self._companies.items() if companies}

    def observe(self, companies: Sequence[CompanyRef], /) -> Sequence[Outcome[Company | None]]:
        """Return the companies as they are now, or as they were surveyed where that will do."""
        with self._lock:
            self.requests += 1
            return [_as_asked(ref, self._observed(ref)) for ref in companies]

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
            now = self._companies.get(ref.id)
            return Ok(self._survey.get(ref.id, now) if ref.surveyed else now)
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
        if not isinstance(action, CreateCompany):
            self._survey.pop(action.company, None)
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
