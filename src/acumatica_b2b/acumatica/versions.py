"""Which version of the endpoint to speak: the newest that the instance offers and this library knows."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from attrs import evolve, frozen

from acumatica_b2b.acumatica.config import SYSTEM_ENDPOINTS, AcumaticaConfig
from acumatica_b2b.acumatica.errors import classify, shown
from acumatica_b2b.errors import ConfigurationError, DecodeError
from acumatica_b2b.flow import Flow
from acumatica_b2b.http import Request, Response, at, send_signed

OLDEST: Final = "20.200.001"
NEWEST: Final = "25.200.001"
"""The newest version of the endpoint Default that was looked at; later ones may have changed fields."""


@frozen
class Offer:
    """One endpoint that an instance offers."""

    name: str
    version: str


def resolved(config: AcumaticaConfig) -> Flow[AcumaticaConfig]:
    """Return the configuration with its version: what it says, or else what the instance's list suggests.

    It is asked for while signed in: only then a tenant's own endpoints are listed. One of those that does
    not say what it `extends` is read as the oldest version of Default, whose fields all others have.

    Raises:
        ConfigurationError: the instance offers no such endpoint, or none of a version that is known.

    """
    if config.version:
        return config
    request = Request(
        method="GET",
        url=at(config.url, "entity"),
        headers=(("Accept", "application/json"),),
        deadline=config.read_deadline,
    )
    response = yield from send_signed(request, classify, config.retries, repeatable=True)
    version = choose(config.endpoint, offers(response))
    return evolve(config, version=version, extends=config.extends or _extended(config.endpoint))


def _extended(endpoint: str) -> str:
    return "" if endpoint in SYSTEM_ENDPOINTS else OLDEST


def offers(response: Response) -> tuple[Offer, ...]:
    """Return the endpoints that an instance lists, in either shape of the list.

    Raises:
        DecodeError: it is of no known shape.

    """
    body: Any = response.json()
    rows: object = cast("dict[str, Any]", body).get("endpoints") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        message = "the answer to GET /entity lists no endpoints; check that `url` is the instance's"
        raise DecodeError(message, "endpoints")
    return tuple(_offer(row, i) for i, row in enumerate(cast("list[object]", rows)))


def _offer(row: object, i: int) -> Offer:
    match row:
        case {"name": str(name), "version": str(version)}:
            return Offer(name, version)
        case _:
            raise DecodeError("an endpoint is listed without name or version", f"endpoints[{i}]")


def choose(endpoint: str, offered: Sequence[Offer]) -> str:
    """Return the version to speak of an endpoint, of all that are offered.

    >>> choose("Default", [Offer("Default", "24.200.001"), Offer("Default", "26.100.001")])
    '24.200.001'

    Raises:
        ConfigurationError: none will do; it names those that are there.

    """
    versions = {offer.version for offer in offered if offer.name == endpoint}
    if not versions:
        names = _told(offer.name for offer in offered)
        raise ConfigurationError(
            f"the instance offers no endpoint {endpoint!r}, only {names}; correct `endpoint`, or publish it"
        )
    if endpoint not in SYSTEM_ENDPOINTS:
        return _newest_custom(endpoint, versions)
    known = {version for version in versions if _numbers(OLDEST) <= _numbers(version) <= _numbers(NEWEST)}
    if not known:
        raise ConfigurationError(_unknown(endpoint, versions))
    return max(known, key=_numbers)


def _newest_custom(endpoint: str, versions: set[str]) -> str:
    # What a version is called is up to who made the endpoint; only numbers have an order.
    if len(versions) > 1 and not all(_numbers(version) for version in versions):
        raise ConfigurationError(
            f"the endpoint {endpoint!r} is offered in the versions {_told(versions)}; say with `version` which to use"
        )
    return max(versions, key=_numbers)


def _unknown(endpoint: str, versions: set[str]) -> str:
    too_new = any(_numbers(version) > _numbers(NEWEST) for version in versions)
    way_out = "update this library, or set `version` to try one of them" if too_new else "update Acumatica"
    return (
        f"the endpoint {endpoint!r} is offered in the versions {_told(versions)} only,"
        f" and this library knows {OLDEST} to {NEWEST}; {way_out}"
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, in their order; () if it is none."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+(\.\d+)*", version, re.ASCII) else ()


def _told(names: Iterable[str]) -> str:
    return shown(", ".join(sorted(set(names))) or "none")
