"""What belongs to the whole store: roles, super admins and channels."""

from collections.abc import Mapping
from typing import Any, Final

from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    bare,
    done,
    no_such_route,
    number_in,
    plain,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, as_object, read
from acumatica_b2b.simulators.bigcommerce.records import Channel, Role, SuperAdmin
from acumatica_b2b.simulators.bigcommerce.state import ICON, Shop

_ROLE: Final = Field(name="name", longest=200, required=True)
_SUPER_ADMIN: Final = (
    Field(name="firstName", required=True),
    Field(name="lastName", required=True),
    Field(name="email", kind="email", required=True),
    Field(name="phone"),
    Field(name="uuid"),
)


# ------------------------------------------------------------------ roles
def answer_roles(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/companies/roles`."""
    match call.method, call.path:
        case "GET", ():
            text = (call.query.one("q") or "").lower()
            wanted = [role for role in shop.roles.values() if text in role.name.lower()]
            return call.query.page(wanted, _shown_role, "success")
        case "POST", ():
            name = read(call.body, (_ROLE,), creating=True)["name"]
            return done({**_shown_role(shop.add_role(name)), "permissions": []}, "SUCCESS")
        case "GET", (number,):
            missing = plain(404, "This resource is not found.")
            role = shop.roles.get(number_in(number, missing))
            if role is None:
                raise missing
            return done({**_shown_role(role), "permissions": []}, "SUCCESS")
        case _:
            raise no_such_route(call)


def _shown_role(role: Role) -> Mapping[str, Any]:
    return {"id": role.id, "name": role.name, "roleType": 2 if role.custom else 1, "roleLevel": 1}


# ------------------------------------------------------------------ super admins
def answer_super_admins(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/super-admins`: creating one and reading it is all there is here."""
    match call.method, call.path:
        case "POST", ():
            return _create_super_admin(shop, as_object(call.body))
        case "GET", ("info", number):
            missing = plain(404, "The ID provided does not match an available resource of the appropriate type.")
            admin = shop.super_admins.get(number_in(number, missing))
            if admin is None:
                raise missing
            return done(_shown_super_admin(shop, admin))
        case _:
            raise no_such_route(call)


def _create_super_admin(shop: Shop, given: Mapping[str, Any]) -> Answer:
    values = read(given, _SUPER_ADMIN, creating=True)
    if shop.user_by_email(values["email"]) or shop.super_admin_by_email(values["email"]):
        raise plain(400, "The user already exists.")
    stamp = shop.stamp()
    admin = SuperAdmin(
        id=shop.new_user_id(),
        customer_id=shop.shopper(values["email"]),
        created_at=stamp,
        updated_at=stamp,
        **values,
    )
    shop.super_admins[admin.id] = admin
    return done({"userId": admin.id, "customerId": admin.customer_id})


def _shown_super_admin(shop: Shop, admin: SuperAdmin) -> Mapping[str, Any]:
    return {
        "id": admin.id,
        "firstName": admin.first_name,
        "lastName": admin.last_name,
        "email": admin.email,
        "phone": admin.phone,
        "uuid": admin.uuid,
        "createdAt": admin.created_at,
        "updatedAt": admin.updated_at,
        "customerId": admin.customer_id,
        "channelList": [
            {"channelId": channel.channel_id, "channelName": channel.name, "iconUrl": ICON} for channel in shop.channels
        ],
        "extraFields": [],
    }


# ------------------------------------------------------------------ channels
def answer_channels(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/channels`, which a store with one storefront refuses."""
    if not shop.multi_storefront:
        raise bare(shop.channels_refusal, "Multi storefront is not enabled")
    match call.method, call.path:
        case "GET", ():
            return done([_shown_channel(channel) for channel in shop.channels], "SUCCESS")
        case "GET", (number,):
            for channel in shop.channels:
                if str(channel.channel_id) == number:
                    return done(_shown_channel(channel), "SUCCESS")
            raise bare(404, "Channel does not exist")
        case _:
            raise no_such_route(call)


def _shown_channel(channel: Channel) -> Mapping[str, Any]:
    return {
        "id": channel.id,
        "channelId": channel.channel_id,
        "name": channel.name,
        "type": "storefront",
        "platform": "bigcommerce",
        "status": "active",
        "site": f"https://channel-{channel.channel_id}.example.com",
        "isVisible": True,
        "isEnabled": True,
        "iconUrl": ICON,
        "b2bEnabled": True,
        "allowGlobalLogins": False,
        "createdAt": "1750437336",
        "updatedAt": "1750437336",
    }
