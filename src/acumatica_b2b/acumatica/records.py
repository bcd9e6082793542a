"""Customers, contacts and locations made of their rows."""

from collections.abc import Mapping

from acumatica_b2b.acumatica.config import AcumaticaConfig, Everyone, PlainField, SiteRows, Source
from acumatica_b2b.acumatica.rows import Row, text_at
from acumatica_b2b.model import (
    UNSET,
    Contact,
    ContactID,
    Customer,
    CustomerID,
    Location,
    LocationID,
    MaybeUnset,
    PostalAddress,
    SiteAssociation,
)


def reference_at(row: Row, source: Source | None) -> str | MaybeUnset:
    """Return a commerce reference ID; UNSET where no place is configured: then none is written either."""
    return UNSET if source is None else text_at(row, source)


def _says_yes(row: Row, source: Source, config: AcumaticaConfig) -> bool | MaybeUnset:
    text = text_at(row, source)
    return text if text is UNSET else text.lower() in {accepted.lower() for accepted in config.enabled_texts} | {"true"}


def _association(row: Row, config: AcumaticaConfig) -> SiteAssociation:
    connection_type = text_at(row, config.connection_type)
    match config.contact_opt_in:
        case Everyone():
            return SiteAssociation(enabled=True, connection_type=connection_type)
        case SiteRows() as where:
            return _of_sites(row, where, config)
        case source:
            return SiteAssociation(enabled=_says_yes(row, source, config), connection_type=connection_type)


def _of_sites(row: Row, where: SiteRows, config: AcumaticaConfig) -> SiteAssociation:
    """Return what the rows of the store's sites say together; a site that is enabled nowhere has no row."""
    rows = row.details(where.detail)
    if rows is None:
        return SiteAssociation(enabled=UNSET, connection_type=UNSET)
    names = {name.casefold(): name for name in config.sites}
    ours = [one for one in rows if not names or one.text(where.site).casefold() in names]
    said = [(_says_yes(one, PlainField(where.enabled), config), one) for one in ours]
    enabled = [one for yes, one in said if yes is True and _counts(one, where, config)]
    unread = any(yes is UNSET for yes, _ in said)
    sites = (one.text(where.site) for one in enabled)
    types = {one.text(where.connection_type) for one in enabled} if where.connection_type else set[str]()
    return SiteAssociation(
        enabled=UNSET if unread and not enabled else bool(enabled),
        # Sites of several types stand for none of them.
        connection_type=UNSET if len(types) > 1 else next(iter(types), ""),
        sites=tuple(dict.fromkeys(names.get(site.casefold(), site) for site in sites)),
    )


def _counts(row: Row, where: SiteRows, config: AcumaticaConfig) -> bool:
    accepted = {kind.casefold() for kind in config.site_types}
    return not accepted or row.text(where.connection_type).casefold() in accepted


def _attributes(row: Row, sources: Mapping[str, Source]) -> dict[str, str]:
    found = ((name, text_at(row, where)) for name, where in sources.items())
    return {name: text for name, text in found if text is not UNSET}


def _address(row: Row) -> PostalAddress:
    return PostalAddress(
        line1=row.text("AddressLine1"),
        line2=row.text("AddressLine2"),
        city=row.text("City"),
        state=row.text("State"),
        postal_code=row.text("PostalCode"),
        country=row.text("Country"),
    )


def _phones(row: Row, *names: str) -> tuple[str, ...]:
    return tuple(phone for name in names if (phone := row.text(name)))


def contact(row: Row, config: AcumaticaConfig) -> Contact:
    """Return a contact of its row."""
    account = row.text("BusinessAccount")
    return Contact(
        id=ContactID(str(row.number("ContactID"))),
        note_id=row.note_id(),
        customer=CustomerID(account) if account else None,
        active=row.flag("Active", empty=True),
        first_name=row.text("FirstName"),
        last_name=row.text("LastName"),
        email=row.text("Email"),
        phones=_phones(row, "Phone1", "Phone2", "Phone3"),
        job_title=row.text("JobTitle"),
        association=_association(row, config),
        reference=reference_at(row, config.contact_reference),
        modified=row.moment("LastModifiedDateTime"),
        attributes=_attributes(row, config.contact_attributes),
    )


def location(row: Row, config: AcumaticaConfig) -> Location:
    """Return a customer location of its row; `default` is False where the version does not tell."""
    person = row.linked("LocationContact")
    return Location(
        id=LocationID(row.text("LocationID")),
        note_id=row.note_id(),
        name=row.text("LocationName"),
        active=row.flag("Active", empty=True),
        default=row.flag("Default", empty=False),
        first_name=person.text("FirstName"),
        last_name=person.text("LastName"),
        phone=person.text("Phone1"),
        address=_address(person.linked("Address")),
        reference=reference_at(row, config.location_reference),
        modified=row.moment("LastModifiedDateTime"),
    )


def primary_contact(row: Row) -> ContactID | None:
    """Return the contact that a customer names as its primary one."""
    found = row.number("PrimaryContactID") or row.linked("PrimaryContact").number("ContactID")
    # A customer without one may show a contact that was never saved; those count down from zero.
    return ContactID(str(found)) if found is not None and found > 0 else None


def marked(row: Row) -> Customer:
    """Return nothing of a customer but its id and primary contact."""
    return Customer(
        id=CustomerID(row.text("CustomerID")),
        note_id=row.note_id(),
        name="",
        primary_contact=primary_contact(row),
        complete=False,
    )


def customer(
    row: Row, config: AcumaticaConfig, contacts: tuple[Contact, ...], locations: tuple[Location, ...], *, complete: bool
) -> Customer:
    """Return a customer of its row, with contacts and locations."""
    main = row.linked("MainContact")
    return Customer(
        id=CustomerID(row.text("CustomerID")),
        note_id=row.note_id(),
        name=row.text("CustomerName"),
        customer_class=row.text("CustomerClass"),
        status=row.text("Status"),
        category=row.text("CustomerCategory"),
        guest=row.flag("IsGuestCustomer", empty=False),
        email=row.text("Email") or main.text("Email"),
        phones=_phones(main, "Phone1", "Phone2"),
        address=_address(main.linked("Address")),
        primary_contact=primary_contact(row),
        contacts=contacts,
        locations=locations,
        complete=complete,
        reference=reference_at(row, config.customer_reference),
        modified=row.moment("LastModifiedDateTime"),
    )
