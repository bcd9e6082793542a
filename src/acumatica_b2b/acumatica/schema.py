"""Where a tenant really has its custom fields: `$adHocSchema` lists each with its view and type."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from attrs import evolve, frozen

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.config import AcumaticaConfig, OptIn, PlainField, Source, UserField
from acumatica_b2b.acumatica.listing import get
from acumatica_b2b.errors import ConfigurationError, DecodeError, OutcomeUnknownError, RejectedError
from acumatica_b2b.flow import Flow

Places: TypeAlias = tuple[OptIn | None, ...]


@frozen(kw_only=True)
class Schema:
    """The fields of an entity: ordinary ones by name, custom ones by view and name, each with its type."""

    entity: str
    plain: frozenset[str]
    custom: Mapping[str, Mapping[str, str]]

    def views_of(self, name: str) -> tuple[str, ...]:
        """Return the views that have a custom field of that name."""
        return tuple(view for view, fields in self.custom.items() if name in fields)

    def located(self, source: Source) -> Source:
        """Return the same field where it really is.

        Raises:
            ConfigurationError: it is elsewhere, in several views, or nowhere.

        """
        match source:
            case PlainField(name) if _looks_custom(name) and name not in self.plain:
                return UserField(self._only_view(source, name), name)
            case UserField(view, name) if name not in self.custom.get(view, {}):
                raise self._misplaced(source, name)
            case _:
                return source

    def _only_view(self, source: Source, name: str) -> str:
        match self.views_of(name):
            case (view,):
                return view
            case _:
                raise self._misplaced(source, name)

    def _misplaced(self, source: Source, name: str) -> ConfigurationError:
        there = [*(f"{view}.{name}" for view in self.views_of(name)), *([name] if name in self.plain else [])]
        if there:
            return ConfigurationError(
                f"the field {str(source)!r} of {self.entity} is not written as the tenant has it; "
                f"write {' or '.join(map(repr, there))}"
            )
        known = [f"{view}.{field}" for view, fields in self.custom.items() for field in fields]
        offered = ", ".join(known[:20]) + (", …" if len(known) > 20 else "") if known else "none"
        return ConfigurationError(
            f"the tenant has no field {str(source)!r} of {self.entity}; its custom fields there are: {offered}; "
            f"correct the name, or let the user's role see the field"
        )


def _looks_custom(name: str) -> bool:
    return name.startswith(("Usr", "Attribute"))


def read_schema(config: AcumaticaConfig, entity: str) -> Flow[Schema]:
    """Return the fields of an entity as the tenant's endpoint has them."""
    shape = queries.Shape(entity=entity, keys=(), select=())
    response = yield from get(config, queries.single(config, shape, ("$adHocSchema",)))
    data: object = response.json()
    if not isinstance(data, dict) or "custom" not in data:
        message = "expected an object that lists the custom fields"
        raise DecodeError(message, f"{entity}.$adHocSchema")
    fields = cast("dict[str, object]", data)
    custom = {view: _types(listed) for view, listed in _object(fields.get("custom")).items()}
    return Schema(entity=entity, plain=frozenset(fields), custom=custom)


def _types(fields: object) -> dict[str, str]:
    return {name: str(_object(field).get("type", "")) for name, field in _object(fields).items()}


def _object(data: object) -> dict[str, Any]:
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def located(config: AcumaticaConfig) -> Flow[AcumaticaConfig]:
    """Return the configuration with each custom field where the tenant has it; none configured, nothing asked.

    Raises:
        ConfigurationError: a field is elsewhere than the configuration says, or nowhere.

    """
    if not config.check_fields:
        return config
    contacts = yield from _known(config, "Contact", queries.contact_sources(config))
    customers = yield from _known(config, "Customer", (config.customer_reference,))
    locations = yield from _known(config, "CustomerLocation", (config.location_reference,))
    return evolve(
        config,
        contact_opt_in=_at(contacts, config.contact_opt_in),
        connection_type=_at(contacts, config.connection_type),
        contact_reference=_at(contacts, config.contact_reference),
        contact_attributes={name: _at(contacts, where) for name, where in config.contact_attributes.items()},
        customer_reference=_at(customers, config.customer_reference),
        location_reference=_at(locations, config.location_reference),
    )


def _known(config: AcumaticaConfig, entity: str, places: Iterable[OptIn | None]) -> Flow[Schema | None]:
    """Return the schema of an entity where a configured field of it may be a custom one; None: it does not matter."""
    unsure = [place for place in places if isinstance(place, PlainField) and _looks_custom(place.name)]
    if not unsure and not any(isinstance(place, UserField) for place in places):
        return None
    try:
        return (yield from read_schema(config, entity))
    except (RejectedError, OutcomeUnknownError, DecodeError) as error:
        if not unsure:
            return None  # what a field in no record comes to is told by the first page that is read
        message = f"{entity}/$adHocSchema can't be read; write the field {str(unsure[0])!r} with its view"
        raise ConfigurationError(message) from error


def _at(schema: Schema | None, place: Any) -> Any:
    return schema.located(place) if schema and isinstance(place, (PlainField, UserField)) else place
