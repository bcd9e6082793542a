"""A host's unit test: its own rule, tried on values and then in a whole run. No HTTP, no mocks."""

from attrs import evolve

from acumatica_b2b import (
    Contact,
    ContactID,
    ContactSync,
    Customer,
    CustomerID,
    Desired,
    NoteID,
    PostalAddress,
    SiteAssociation,
    SyncPolicy,
    map_customer,
)
from acumatica_b2b.stores import MemoryStore
from acumatica_b2b.testing import MemoryErp, MemoryShop

FACEBOOK = CustomerID("C000000001")
MARK, ANNA = ContactID("100001"), ContactID("100002")


# ------------------------------------------------------------------ what the host adds to the library
def no_interns(customer: Customer, policy: SyncPolicy) -> Desired:
    """Map a customer as the library does, but take interns for contacts who are not enabled."""
    contacts = (evolve(c, association=SiteAssociation()) if is_intern(c) else c for c in customer.contacts)
    return map_customer(evolve(customer, contacts=tuple(contacts)), policy)


def is_intern(contact: Contact) -> bool:
    """Tell whether a contact's job title says so."""
    return contact.job_title.strip().lower() == "intern"


# ------------------------------------------------------------------ the host's tests
def contact(number: ContactID, name: str, job_title: str) -> Contact:
    """Return a contact who is enabled for the storefront."""
    return Contact(
        id=number,
        note_id=NoteID(f"note-{number}"),
        customer=FACEBOOK,
        first_name=name,
        last_name="Example",
        email=f"{name.lower()}@facebook.example",
        job_title=job_title,
        association=SiteAssociation(enabled=True),
    )


def facebook(*contacts: Contact) -> Customer:
    """Return a customer whose primary contact is Mark."""
    return Customer(
        id=FACEBOOK,
        note_id=NoteID("note-facebook"),
        name="Facebook",
        email="info@facebook.example",
        phones=("+1 555 0100",),
        address=PostalAddress(line1="1 Hacker Way", city="Menlo Park", state="CA", country="US"),
        primary_contact=MARK,
        contacts=contacts,
    )


def test_an_intern_is_to_become_no_user() -> None:
    """Of an owner and an intern, the owner alone is to become a company user."""
    desired = no_interns(facebook(contact(MARK, "Mark", "Owner"), contact(ANNA, "Anna", "Intern")), SyncPolicy())
    assert [user.contact for user in desired.users] == [MARK]


def test_a_buyer_who_becomes_an_intern_loses_the_user() -> None:
    """After a run with both as users, and one with Anna as an intern, the shop knows Mark alone."""
    erp, shop = MemoryErp(), MemoryShop()
    sync = ContactSync(erp=erp, storefront=shop, store=MemoryStore(), mapping=no_interns)
    erp.put(facebook(contact(MARK, "Mark", "Owner"), contact(ANNA, "Anna", "Buyer")))
    sync.sync([FACEBOOK])

    anna = next(contact for contact in erp.snapshot()[FACEBOOK].contacts if contact.id == ANNA)
    erp.put_contact(FACEBOOK, evolve(anna, job_title="Intern"))
    plan = sync.plan([FACEBOOK])
    assert [type(step).__name__ for step in plan.steps] == ["RemoveUser", "WriteReference"]

    assert sync.apply(plan).ok
    (company,) = shop.snapshot().values()
    assert [(user.first_name, user.role) for user in company.users] == [("Mark", "Admin")]
