"""The closed union of single steps: everything this library ever does to a storefront or the ERP."""

from typing import TypeAlias

from attrs import frozen

from acumatica_b2b.flow import Effect, Outcome
from acumatica_b2b.model import (
    AddressID,
    CompanyID,
    ContactID,
    CustomerID,
    DesiredAddress,
    DesiredCompany,
    DesiredUser,
    Discreet,
    LocationID,
    Reference,
    StorefrontID,
    UserID,
)

Changes: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of field and new value. Fields are the attribute names of `Company` and `CompanyUser`, and
`extra_fields.NAME`. `active` is "yes" or "no", and only where the storefront deactivates."""


@frozen(kw_only=True)
class CreateCompany(Effect[Outcome[StorefrontID]]):
    """Make a company; with its admin where the storefront can't make one without. → company id."""

    stage = 30
    company: DesiredCompany
    admin: DesiredUser | None
    role: str


@frozen(kw_only=True, repr=False)
class UpdateCompany(Discreet, Effect[Outcome[StorefrontID]]):
    """Change fields of a company. → company id."""

    stage = 40
    company: CompanyID
    customer: CustomerID
    changes: Changes


@frozen(kw_only=True)
class CreateUser(Effect[Outcome[StorefrontID]]):
    """Make a company user with a role. → user id."""

    stage = 40
    company: CompanyID
    user: DesiredUser
    role: str


@frozen(kw_only=True, repr=False)
class UpdateUser(Discreet, Effect[Outcome[StorefrontID]]):
    """Change fields of a company user; its role is not one of them. → user id."""

    stage = 40
    company: CompanyID
    user: UserID
    contact: ContactID
    changes: Changes


@frozen(kw_only=True)
class CreateAddress(Effect[Outcome[StorefrontID]]):
    """Make an address of a company. → address id."""

    stage = 40
    company: CompanyID
    address: DesiredAddress


@frozen(kw_only=True)
class UpdateAddress(Effect[Outcome[StorefrontID]]):
    """Make an address of ours what it should be, all of it. → address id."""

    stage = 40
    company: CompanyID
    id: AddressID
    address: DesiredAddress


@frozen(kw_only=True)
class SetRole(Effect[Outcome[StorefrontID]]):
    """Give a company user another role: a grant of the Primary Admin's, or its end. → user id."""

    stage = 50
    company: CompanyID
    user: UserID
    contact: ContactID | None
    role: str


@frozen(kw_only=True)
class MoveAdmin(Effect[Outcome[StorefrontID]]):
    """Move the Primary Admin's role to this user, in one call (HandOver.ATOMIC only). → user id."""

    stage = 50
    company: CompanyID
    user: UserID
    contact: ContactID
    role: str


@frozen(kw_only=True)
class RemoveUser(Effect[Outcome[StorefrontID]]):
    """Take a user out of a company. → user id."""

    stage = 60
    company: CompanyID
    user: UserID
    contact: ContactID


@frozen(kw_only=True)
class RemoveAddress(Effect[Outcome[StorefrontID]]):
    """Take an address out of a company. → address id."""

    stage = 60
    company: CompanyID
    id: AddressID
    location: LocationID


@frozen(kw_only=True)
class WriteReference(Effect[Outcome[None]]):
    """Write a commerce reference ID back to the ERP."""

    stage = 70
    reference: Reference


Action: TypeAlias = (
    CreateCompany
    | UpdateCompany
    | CreateUser
    | UpdateUser
    | CreateAddress
    | UpdateAddress
    | SetRole
    | MoveAdmin
    | RemoveUser
    | RemoveAddress
)
"""What a storefront is asked to perform."""

Step: TypeAlias = Action | WriteReference
"""An action as a plan proposes it, the ERP's included."""
