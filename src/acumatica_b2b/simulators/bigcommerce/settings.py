"""What belongs to the whole store: roles and channels."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from acumatica_b2b.simulators.bigcommerce.envelope import (
    Answer,
    Call,
    bare,
    done,
    illogical,
    invalid,
    no_such_route,
    number_in,
    plain,
)
from acumatica_b2b.simulators.bigcommerce.fields import Field, read
from acumatica_b2b.simulators.bigcommerce.records import Channel, Role
from acumatica_b2b.simulators.bigcommerce.state import ICON, Shop

_ROLE: Final = Field(name="name", longest=200, required=True)


# ------------------------------------------------------------------ roles
def answer_roles(shop: Shop, call: Call) -> Answer:
    """Answer a call below `/companies/roles`."""
    match call.method, call.path:
        case "GET", ():
            text = (call.query.one("q") or "").lower()
            wanted = [role for role in shop.roles.values() if text in role.name.lower()]
            return call.query.page(wanted, _shown_role, "success")
        case "POST", ():
            values = _role_values(call.body, creating=True)
            role = evolve(shop.add_role(values.pop("name")), **values)
            return _keep_role(shop, role)
        case method, (number,):
            return _answer_one_role(shop, call, _found_role(shop, number), method)
        case _:
            raise no_such_route(call)


def _answer_one_role(shop: Shop, call: Call, role: Role, method: str) -> Answer:
    match method:
        case "GET":
            return _told(role)
        case "PUT":
            _require_custom(role)
            return _keep_role(shop, evolve(role, **_role_values(call.body, creating=False)))
        case "DELETE":
            _require_custom(role)
            if any(user.company_role_id == role.id for user in shop.users.values()):
                raise illogical("The role is assigned to users and can not be deleted.")
            del shop.roles[role.id]
            return done({}, "SUCCESS")
        case _:
            raise no_such_route(call)


def _found_role(shop: Shop, number: str) -> Role:
    missing = plain(404, "This resource is not found.")
    role = shop.roles.get(number_in(number, missing))
    if role is None:
        raise missing
    return role


def _require_custom(role: Role) -> None:
    if not role.custom:
        raise illogical("The predefined role can not be changed.")


def _role_values(body: Any, *, creating: bool) -> dict[str, Any]:
    values = read(body, (_ROLE,), creating=creating)
    try:
        permissions = tuple((str(one["code"]), int(one["permissionLevel"])) for one in body.get("permissions", ()))
    except (TypeError, KeyError, ValueError):
        raise invalid({"permissions": ["Expected a list of code and permissionLevel."]}) from None
    return values | {"permissions": permissions}


def _keep_role(shop: Shop, role: Role) -> Answer:
    shop.roles[role.id] = role
    return _told(role)


def _told(role: Role) -> Answer:
    permissions = [
        {"id": place, "code": code, "permissionLevel": level}
        for place, (code, level) in enumerate(role.permissions, start=1)
    ]
    return done({**_shown_role(role), "permissions": permissions}, "SUCCESS")


def _shown_role(role: Role) -> Mapping[str, Any]:
    return {"id": role.id, "name": role.name, "roleType": 2 if role.custom else 1, "roleLevel": 1}


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
        "b2bEnabled": channel.b2b_enabled,
        "allowGlobalLogins": False,
        "createdAt": "1750437336",
        "updatedAt": "1750437336",
    }
