"""The store's roles: told apart by id, known to the policy by name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from acumatica_b2b.bigcommerce.api import Api, listing
from acumatica_b2b.bigcommerce.records import PageOf, RoleRecord, UserRecord
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.flow import Flow

_PREDEFINED: Final = ("Admin", "Senior Buyer", "Junior Buyer")
"""In the order of the numbers that the older field `role` has for them."""
_PREDEFINED_TYPE: Final = 1
_CUSTOM: Final = 2


def role_fields(role: RoleRecord) -> Mapping[str, int]:
    """Return what gives a user this role; the id decides, the number has to go with it."""
    predefined = role.role_type == _PREDEFINED_TYPE and role.name in _PREDEFINED
    return {"role": _PREDEFINED.index(role.name) if predefined else _CUSTOM, "companyRoleId": role.id}


def require(api: Api, names: Iterable[str]) -> Flow[Mapping[str, RoleRecord]]:
    """Return the role of each name.

    Raises:
        ConfigurationError: there is none or there are several of a name, even when read again.

    """
    wanted = frozenset(names)
    if not wanted:
        return {}
    remembered = api.known.roles is not None
    named = _by_name((yield from _roles(api)), wanted)
    if remembered and any(len(roles) != 1 for roles in named.values()):
        named = _by_name((yield from _read(api)), wanted)
    wrong = sorted(name for name, roles in named.items() if len(roles) != 1)
    if wrong:
        raise ConfigurationError(_complaint(named, wrong, api.known.roles or ()))
    return {name: roles[0] for name, roles in named.items()}


def names_of(api: Api, users: Sequence[UserRecord]) -> Flow[Mapping[int, str]]:
    """Return the name of each user's role by the user's id."""
    if not users:
        return {}
    remembered = api.known.roles is not None
    roles = {role.id: role.name for role in (yield from _roles(api))}
    if remembered and any(user.company_role_id not in roles for user in users if user.company_role_id is not None):
        roles = {role.id: role.name for role in (yield from _read(api))}
    return {user.id: _name(user, roles) for user in users}


def _name(user: UserRecord, roles: Mapping[int, str]) -> str:
    match user.company_role_id:
        case None if user.role == _CUSTOM and user.company_role_name not in {None, "", *_PREDEFINED}:
            return user.company_role_name or ""  # the number of custom roles is that of Junior Buyer
        case None:
            known = user.role is not None and 0 <= user.role < len(_PREDEFINED)
            return _PREDEFINED[user.role] if known and user.role is not None else ""
        case id_ if id_ in roles:
            return roles[id_]
        case id_:
            # never the bare name: it may be that of a role it is not
            return f"{user.company_role_name or 'unknown'} (role {id_})"


def _roles(api: Api) -> Flow[Sequence[RoleRecord]]:
    known = api.known.roles
    return known if known is not None else (yield from _read(api))


def _read(api: Api) -> Flow[Sequence[RoleRecord]]:
    found = yield from listing(api, PageOf[RoleRecord], "companies", "roles")
    api.known.roles = found.rows
    return found.rows


def _by_name(roles: Sequence[RoleRecord], names: Iterable[str]) -> Mapping[str, Sequence[RoleRecord]]:
    return {name: tuple(role for role in roles if role.name == name) for name in names}


def _complaint(named: Mapping[str, Sequence[RoleRecord]], wrong: Sequence[str], roles: Sequence[RoleRecord]) -> str:
    parts = (
        f"{len(named[name])} roles {name!r} (ids {', '.join(str(role.id) for role in named[name])})"
        if named[name]
        else f"no role {name!r}"
        for name in wrong
    )
    there = ", ".join(sorted(repr(role.name) for role in roles)) or "none"
    return f"the store has {' and '.join(parts)}; name one of its roles in the policy: {there}"
