"""All a simulated tenant knows, and the fields that are made of others."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from attrs import Factory, define, field

from acumatica_b2b.simulators.acumatica.collation import Collation
from acumatica_b2b.simulators.acumatica.defaults import DEFAULTS
from acumatica_b2b.simulators.acumatica.schema import CONTACT, CUSTOMER, LOCATION
from acumatica_b2b.simulators.acumatica.tables import Record, Table, Value

_NAMESPACE: Final = UUID("b6a1c2f0-7d35-4f51-9a55-5a0f6f0f6e01")


def database_time(moment: datetime, digits: int = 3) -> datetime:
    """Return a moment as the database keeps it: in UTC, with so many digits of a second's fraction.

    Three are those of SQL Server's older type, which counts in 1/300 of a second.
    """
    moment = moment.astimezone(UTC)
    per_second = 300 if digits == 3 else 10**digits
    ticks = round(moment.microsecond * per_second / 1_000_000)
    fraction = round(ticks * 10 / 3) * 1000 if digits == 3 else ticks * 1_000_000 // per_second
    return moment.replace(microsecond=0) + timedelta(microseconds=fraction)


def note_id_of(*parts: object) -> str:
    """Return a GUID made from the parts, always the same one."""
    return str(uuid5(_NAMESPACE, "/".join(str(part) for part in parts)))


def _table(entity: str) -> Table:
    return Factory(lambda state: Table(entity, state.collation), takes_self=True)


@define
class State:
    """All records of a tenant, with those contacts that were deleted."""

    collation: Collation = Collation.CASE_INSENSITIVE
    customers: Table = field(default=_table(CUSTOMER), init=False)
    contacts: Table = field(default=_table(CONTACT), init=False)
    locations: Table = field(default=_table(LOCATION), init=False)
    deleted: dict[int, Record] = field(factory=dict[int, Record], init=False)
    """Deleted contacts: a customer's primary may still be one of them."""
    last_contact: int = field(default=100_000, init=False)
    last_account: int = field(default=6_000, init=False)

    def table(self, entity: str) -> Table:
        """Return the table of an entity."""
        return {CUSTOMER: self.customers, CONTACT: self.contacts, LOCATION: self.locations}[entity]

    def collate(self, text: str) -> str:
        """Return what a text is compared and ordered by."""
        return self.collation.key(text)

    def customer(self, customer: str) -> Record | None:
        """Return a customer by its id, as the collation finds it."""
        return self.customers.records.get(self.collate(customer))

    def primary(self, customer: Record) -> Record | None:
        """Return the contact that a customer names as primary, even a deleted one."""
        number = customer.values.get("PrimaryContactID")
        found = self.contacts.records.get(number)
        return found or self.deleted.get(number if isinstance(number, int) else 0)

    def read(self, record: Record, path: str) -> Value:
        """Return the value at a path, followed into what belongs to other records."""
        head, _, rest = path.partition("/")
        if rest and record.entity == CUSTOMER:
            if head == "PrimaryContact":
                primary = self.primary(record)
                return None if primary is None else self.read(primary, rest)
            kind = "Address" if rest.startswith("Address/") else "Contact"
            if head in ("BillingContact", "ShippingContact") and not record.get(f"{head[:-7]}{kind}Override"):
                return self.read(record, f"MainContact/{rest}")
        composed = _COMPOSED.get((record.entity, path))
        return composed(record) if composed else record.get(path)

    def reader(self, entity: str, path: str) -> Callable[[Record], Value]:
        """Return `read` for one path, with all that can be decided beforehand decided."""
        if "/" in path and entity == CUSTOMER:
            return lambda record: self.read(record, path)
        default = DEFAULTS[entity].get(path)
        return _COMPOSED.get((entity, path)) or (lambda record: record.values.get(path, default))


def _display_name(record: Record) -> Value:
    return " ".join(str(part) for name in ("FirstName", "LastName") if (part := record.get(name)))


def _status(record: Record) -> Value:
    return "Active" if record.get("Active") else "Inactive"


def _company_name(record: Record) -> Value:
    return record.get("MainContact/FullName") or record.get("CustomerName")


_COMPOSED: Final[Mapping[tuple[str, str], Callable[[Record], Value]]] = {
    (CONTACT, "DisplayName"): _display_name,
    (CONTACT, "Status"): _status,
    (LOCATION, "Status"): _status,
    (CUSTOMER, "Email"): lambda record: record.get("MainContact/Email"),
    (CUSTOMER, "MainContact/DisplayName"): _company_name,
    (CUSTOMER, "MainContact/CompanyName"): _company_name,
    (CUSTOMER, "MainContact/FullName"): _company_name,
    **{(entity, "NoteID"): lambda record: record.note_id for entity in (CONTACT, CUSTOMER, LOCATION)},
}
