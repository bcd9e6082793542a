"""The worlds that are crashed: together they meet every action, every grant and every log there is."""

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.errors import RejectedError
from acumatica_b2b.model import PostalAddress
from acumatica_b2b.policy import (
    CustomerLeaves,
    ExistingShoppers,
    FirstAdmin,
    Limits,
    ProtectedLeaver,
    SyncPolicy,
    TakeBack,
)
from tests.bench import ANNA, BILL, CARL, HERE, MARK, THERE, contact, customer, location
from tests.engine.crashes import Scene, World

DORA: Final = contact(105, "Dora")
ELSE: Final = PostalAddress(line1="2 Side Street", city="Berlin", postal_code="10117", country="DE")
SUSPENDING: Final = SyncPolicy(protected_leaver=ProtectedLeaver.SUSPEND, suspended_role="Suspended")
SWITCHING: Final = SyncPolicy(customer_leaves=CustomerLeaves.DEACTIVATE)

WORLDS: Final[list[World]] = []


def world(**fields: Any) -> Callable[[Callable[[Scene], None]], World]:
    """Register a world; what is decorated is its past, with the edits that come last."""

    def registered(begin: Callable[[Scene], None]) -> World:
        made = World(name=begin.__name__, begin=begin, **fields)
        WORLDS.append(made)
        return made

    return registered


# ------------------------------------------------------------------ edits that several worlds share
def acme(scene: Scene, **fields: Any) -> None:
    """Put Mark, Anna and Bill of one customer, Mark primary, with two locations."""
    places = (location("MAIN", default=True), location("SHED"))
    scene.put(customer(MARK, ANNA, BILL, primary=MARK, **{"locations": places, **fields}))


def both(scene: Scene) -> None:
    """Put Mark and Anna of one customer and Bill and Carl of another."""
    scene.put(customer(MARK, ANNA, primary=MARK), customer(BILL, CARL, number=2, primary=BILL))


def rename(scene: Scene, **emails: str) -> None:
    """Give contacts other addresses, by first name."""
    people = {one.first_name.lower(): one for one in (MARK, ANNA, BILL, CARL)}
    for name, email in emails.items():
        scene.change(people[name], email=f"{email}@acme.example")


def promoted(scene: Scene) -> None:
    """Make Anna the primary contact."""
    scene.erp.set_primary(HERE, ANNA.id)


def bill_is_primary(scene: Scene) -> None:
    """Make Bill the primary contact."""
    scene.erp.set_primary(HERE, BILL.id)


def anna_leaves(scene: Scene) -> None:
    """Take Anna out, and her role with her."""
    scene.change(ANNA, active=False)


def anna_is_back(scene: Scene) -> None:
    """Let Anna take part again."""
    scene.change(ANNA, active=True)


def mark_is_called_otherwise(scene: Scene) -> None:
    """Change a name and an address."""
    scene.change(MARK, first_name="Marcus", email="marcus@acme.example")


def edited(scene: Scene) -> None:
    """Change a bit of everything."""
    held = scene.customer()
    main = evolve(held.locations[0], name="Head Office")
    new = location("YARD", address=ELSE)
    scene.put(evolve(held, name="Acme International", locations=(main, new)))
    scene.change(BILL, email="bill@new.example", last_name="Bell")
    scene.change(ANNA, active=False)
    scene.add(DORA)


# ------------------------------------------------------------------ companies are made
@world(then=edited)
def first_load(scene: Scene) -> None:
    """Nothing is there yet; one reference is somebody else's."""
    acme(scene)
    scene.change(BILL, reference="K-77")


@world(then=promoted)
def two_loads(scene: Scene) -> None:
    """Two workers take one customer each."""
    scene.erp.page_size, scene.workers = 1, 2
    both(scene)


@world(then=promoted, waits=False)
def shared_address(scene: Scene) -> None:
    """Contacts of two customers of a wave have the same address."""
    both(scene)
    scene.change(CARL, email="anna@acme.example")


@world(
    then=lambda scene: scene.change(MARK, email="mark@acme.example"),
    policy=SyncPolicy(first_admin=FirstAdmin.LOWEST_CONTACT),
)
def another_is_admin_first(scene: Scene) -> None:
    """The primary contact may not take part yet."""
    acme(scene, email="", locations=())
    scene.change(MARK, email="")


# ------------------------------------------------------------------ the primary role
@world(small=True, then=bill_is_primary)
def handed_over(scene: Scene) -> None:
    """Another contact is primary; people had given her a role of their own choice."""
    acme(scene, locations=())
    scene.settle()
    scene.shop.set_role(scene.user(ANNA).id, "Junior Buyer")
    promoted(scene)


@world(then=promoted)
def handed_to_a_newcomer(scene: Scene) -> None:
    """A contact who is no user yet is primary."""
    acme(scene, locations=())
    scene.settle()
    scene.add(DORA)
    scene.erp.set_primary(HERE, DORA.id)


@world(then=bill_is_primary)
def the_admin_leaves(scene: Scene) -> None:
    """Another contact is primary, and the one before takes part no more."""
    acme(scene, locations=())
    scene.settle()
    promoted(scene)
    scene.change(MARK, active=False)


@world(small=True, then=promoted, policy=SyncPolicy(take_back=TakeBack.ALL), seen=False)
def people_chose_an_admin(scene: Scene) -> None:
    """People gave the role to somebody of their own, and took it from ours where two may not be."""
    acme(scene, locations=())
    scene.settle()
    home = scene.company().id
    stranger = scene.shop.add_user(home, "stranger@acme.example", role="Junior Buyer")
    try:
        scene.shop.set_role(stranger, "Admin")
    except RejectedError:
        scene.shop.set_role(scene.user(MARK).id, "Junior Buyer")
        scene.shop.set_role(stranger, "Admin")


@world(
    small=True,
    then=anna_leaves,
    policy=SUSPENDING,
    judged=False,
    ends="anna:Senior Buyer bill:Senior Buyer mark:Suspended",
)
def suspended(scene: Scene) -> None:
    """The primary contact leaves, and nobody follows."""
    acme(scene, locations=())
    scene.settle()
    scene.change(MARK, active=False)


@world(then=promoted, policy=SUSPENDING, judged=False, ends="anna:Senior Buyer bill:Senior Buyer mark:Admin")
def back_in_charge(scene: Scene) -> None:
    """The primary contact was suspended and is back."""
    suspended.begin(scene)
    scene.settle()
    scene.change(MARK, active=True)


@world(then=bill_is_primary, policy=SUSPENDING, judged=False, ends="anna:Admin bill:Senior Buyer mark:Senior Buyer")
def back_in_the_ranks(scene: Scene) -> None:
    """The primary contact was suspended and is back, and another is primary."""
    back_in_charge.begin(scene)
    promoted(scene)


# ------------------------------------------------------------------ values and addresses
@world(then=bill_is_primary)
def a_day_of_changes(scene: Scene) -> None:
    """A bit of everything changes."""
    acme(scene)
    scene.settle()
    edited(scene)


@world(
    waits=False,
    then=promoted,
    # without log, references and old addresses nothing but the external ids can tell who is who
    policy=SyncPolicy(parking_domain="parked.example", limits=Limits(share_from=1000), external_ids_at_once=True),
    judged=False,
    ends="bill:Senior Buyer carl:Admin anna:Admin mark:Senior Buyer",
)
def swapped(scene: Scene) -> None:
    """Two of one company swap their addresses, and so do two of different companies."""
    both(scene)
    scene.settle()
    rename(scene, mark="carl", anna="bill", bill="anna", carl="mark")


@world(then=promoted)
def passed_on(scene: Scene) -> None:
    """An address becomes free in one company and is wanted in another."""
    both(scene)
    scene.settle()
    rename(scene, anna="bill", bill="bill.new")


@world(then=edited)
def references_lost(scene: Scene) -> None:
    """Somebody cleared the references in the ERP."""
    acme(scene)
    scene.settle()
    cleared(scene)


def cleared(scene: Scene) -> None:
    """Clear all references that are ours."""
    for held in scene.erp.snapshot().values():
        scene.put(
            evolve(
                held,
                reference="",
                contacts=tuple(evolve(one, reference="") for one in held.contacts),
                locations=tuple(evolve(one, reference="") for one in held.locations),
            )
        )


# ------------------------------------------------------------------ coming and going
@world(then=mark_is_called_otherwise)
def moved(scene: Scene) -> None:
    """A contact is another customer's now."""
    both(scene)
    scene.settle()
    scene.erp.move_contact(ANNA.id, THERE)


@world(then=promoted)
def the_admin_moves(scene: Scene) -> None:
    """The primary contact of one customer becomes that of another."""
    both(scene)
    scene.settle()
    promoted(scene)
    scene.erp.move_contact(MARK.id, THERE)
    scene.erp.set_primary(THERE, MARK.id)


@world(then=promoted, seen=False)
def deleted(scene: Scene) -> None:
    """A contact was deleted."""
    acme(scene, locations=())
    scene.settle()
    scene.erp.remove_contact(BILL.id)


@world(then=promoted)
def made_anew(scene: Scene) -> None:
    """A contact was deleted and made anew, with the same address."""
    acme(scene, locations=())
    scene.settle()
    scene.erp.remove_contact(BILL.id)
    scene.add(contact(203, "Bill"))


@world(
    then=promoted,
    policy=SyncPolicy(recreate_deleted=True),
    judged=False,
    seen=False,
    ends="anna:Senior Buyer bill:Senior Buyer mark:Admin",
)
def deleted_in_the_shop(scene: Scene) -> None:
    """People deleted a user, who is to be made again."""
    acme(scene, locations=())
    scene.settle()
    scene.shop.delete_user(scene.user(ANNA).id)


@world(then=promoted, policy=SyncPolicy(existing_shoppers=ExistingShoppers.HOLD))
def hired_again(scene: Scene) -> None:
    """Somebody was gone, leaving a shopper behind, and is back; somebody else's new address is a shopper's."""
    acme(scene, locations=())
    scene.settle()
    scene.change(ANNA, active=False)
    scene.settle()
    scene.change(ANNA, active=True)
    scene.change(BILL, email="bill.new@acme.example")


@world(then=promoted, policy=SyncPolicy(adopt_companies=True))
def adopted(scene: Scene) -> None:
    """People made the company by hand, with two of the contacts and a stranger."""
    home = scene.shop.add_company("Acme by hand")
    for name in ("mark", "anna", "stranger"):
        scene.shop.add_user(home, f"{name}@acme.example", role="Junior Buyer")
    acme(scene)


@world(
    small=True,
    then=anna_is_back,
    settings={"deactivates": True},
    judged=False,
    ends="anna:off bill:Senior Buyer mark:Admin",
)
def switched_off(scene: Scene) -> None:
    """Somebody leaves, where users are switched off."""
    acme(scene, locations=())
    scene.settle()
    scene.change(ANNA, active=False)


@world(small=True, then=promoted, settings={"deactivates": True}, ends="anna:Senior Buyer bill:Senior Buyer mark:Admin")
def switched_on(scene: Scene) -> None:
    """Who was switched off is back."""
    switched_off.begin(scene)
    scene.settle()
    scene.change(ANNA, active=True)


def comes_back(scene: Scene) -> None:
    """Let the customer take part again."""
    scene.change_customer(status="Active")


@world(small=True, then=comes_back, policy=SWITCHING, settings={"deactivates": True})
def customer_left(scene: Scene) -> None:
    """A customer takes part no more, and its company is switched off."""
    acme(scene, locations=())
    scene.settle()
    scene.change_customer(status="Inactive")


@world(then=promoted, policy=SWITCHING, settings={"deactivates": True})
def customer_came_back(scene: Scene) -> None:
    """A customer takes part again."""
    customer_left.begin(scene)
    scene.settle()
    comes_back(scene)


@world(then=lambda scene: scene.change(CARL, last_name="Cole"), policy=SWITCHING, settings={"deactivates": True})
def customer_deleted(scene: Scene) -> None:
    """A customer was deleted."""
    both(scene)
    scene.settle()
    scene.erp.remove_customer(HERE)


LOADS: Final = (first_load, two_loads, shared_address, another_is_admin_first)
"""Companies are made: it matters how the shop does that."""
OF_SEVERAL: Final = (two_loads, shared_address, swapped, passed_on, moved, the_admin_moves, made_anew)
"""Customers concern one another: it matters what one knows of the others."""
