"""Customers, contacts and locations made of their rows."""

from collections.abc import Mapping
from functools import cache, lru_cache

from acumatica_b2b.acumatica.config import AcumaticaConfig, Everyone, PlainField, SiteRows, Source
from acumatica_b2b.acumatica.queries import POSTAL
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
    return text if text is UNSET else text == "true" or text.lower() in _accepted(config.enabled_texts)


@cache
def _accepted(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(("true", *(text.lower() for text in texts)))


def _association(row: Row, config: AcumaticaConfig) -> SiteAssociation:
    connection_type = text_at(row, config.connection_type)
    match config.contact_opt_in:
        case Everyone():
            return _opted(enabled=True, connection_type=connection_type)
        case SiteRows() as where:
            return _of_sites(row, where, config)
        case source:
            return _opted(enabled=_says_yes(row, source, config), connection_type=connection_type)


@lru_cache(maxsize=100)
def _opted(*, enabled: bool | MaybeUnset, connection_type: str | MaybeUnset) -> SiteAssociation:
    # There are few of them: one serves all contacts that have it.
    return SiteAssociation(enabled=enabled, connection_type=connection_type)


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
    if not sources:
        return {}
    found = ((name, text_at(row, where)) for name, where in sources.items())
    return {name: text for name, text in found if text is not UNSET}


def _address(row: Row) -> PostalAddress:
    line1, line2, city, state, postal_code, country = row.texts(*POSTAL)
    return PostalAddress(line1=line1, line2=line2, city=city, state=state, postal_code=postal_code, country=country)


def contact(row: Row, config: AcumaticaConfig) -> Contact:
    """Return a contact of its row."""
    account, first_name, last_name, email, job_title, *phones = row.texts(
        "BusinessAccount", "FirstName", "LastName", "Email", "JobTitle", "Phone1", "Phone2", "Phone3"
    )
    return Contact(
        id=ContactID(str(row.number("ContactID"))),
        note_id=row.note_id(),
        customer=CustomerID(account) if account else None,
        active=row.flag("Active", empty=True),
        first_name=first_name,
        last_name=last_name,
        email=email,
        phones=tuple(filter(None, phones)),
        job_title=job_title,
        association=_association(row, config),
        reference=reference_at(row, config.contact_reference),
        modified=row.moment("LastModifiedDateTime"),
        attributes=_attributes(row, config.contact_attributes),
    )


def location(row: Row, config: AcumaticaConfig) -> Location:
    """Return a customer location of its row; `default` is False where the version does not tell."""
    identifier, name = row.texts("LocationID", "LocationName")
    person = row.linked("LocationContact")
    first_name, last_name, phone = person.texts("FirstName", "LastName", "Phone1")
    return Location(
        id=LocationID(identifier),
        note_id=row.note_id(),
        name=name,
        active=row.flag("Active", empty=True),
        default=row.flag("Default", empty=False),
        first_name=first_name,
        last_name=last_name,
        phone=phone,
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
    row: Row,
    config: AcumaticaConfig,
    contacts: tuple[Contact, ...],
    locations: tuple[Location, ...],
    *,
    complete: bool,
    as_read: str = "",
) -> Customer:
    """Return a customer of its row, with contacts and locations."""
    identifier, name, customer_class, status, category, email = row.texts(
        "CustomerID", "CustomerName", "CustomerClass", "Status", "CustomerCategory", "Email"
    )
    main = row.linked("MainContact")
    main_email, *phones = main.texts("Email", "Phone1", "Phone2")
    return Customer(
        id=CustomerID(identifier),
        note_id=row.note_id(),
        name=name,
        customer_class=customer_class,
        status=status,
        category=category,
        guest=row.flag("IsGuestCustomer", empty=False),
        email=email or main_email,
        phones=tuple(filter(None, phones)),
        address=_address(main.linked("Address")),
        primary_contact=primary_contact(row),
        contacts=contacts,
        locations=locations,
        complete=complete,
        reference=reference_at(row, config.customer_reference),
        modified=row.moment("LastModifiedDateTime"),
        as_read=as_read,
    )
