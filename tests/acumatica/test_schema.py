from typing import Any

import pytest
from attrs import define, field

from acumatica_b2b.acumatica import AcumaticaConfig, PlainField, UserField
from acumatica_b2b.acumatica.config import AttributeRow
from acumatica_b2b.acumatica.schema import located, read_schema
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.flow import Batch, Flow, Ok, run
from acumatica_b2b.http import Renew, Request, Response, Send, Session
from tests.acumatica.conftest import NO_ENTITY, answer, configured, entity, query

TEXT = {"type": "CustomStringField", "value": None}
YES = {"type": "CustomBooleanField", "value": None}
SCHEMAS = {
    "Contact": {
        "id": "x",
        "UsrPlain": {},
        "ExtRefNbr": {},
        "custom": {
            "Contact": {"UsrKCOn": YES, "UsrTwice": TEXT},
            "ContactCurrent": {"UsrKCRef": TEXT, "UsrTwice": TEXT, "AttributeDEPT": TEXT},
        },
    },
    "Customer": {"custom": {"BAccount": {"UsrKCRef": TEXT}}},
    "CustomerLocation": {"custom": None},
}


@define
class Tenant:
    """Answers what a tenant's fields are."""

    answers: dict[str, Response] = field(factory=lambda: {name: answer(body) for name, body in SCHEMAS.items()})
    asked: list[Request] = field(factory=list[Request])

    def __call__(self, flow: Flow[Any]) -> Any:
        """Return what a flow comes to."""
        return run(flow, self.answer)

    def answer(self, batch: Batch) -> list[Any]:
        """Answer effects."""
        return [Session() if isinstance(effect, Renew) else self.sent(effect) for effect in batch]

    def sent(self, effect: Any) -> Ok[Response]:
        """Answer a request."""
        assert isinstance(effect, Send)
        self.asked.append(effect.request)
        return Ok(self.answers[entity(effect.request).partition("/")[0]])

    @property
    def entities(self) -> list[str]:
        """What was asked for."""
        return [entity(request) for request in self.asked]


def located_in(tenant: Tenant, **settings: Any) -> AcumaticaConfig:
    """Return a configuration with its fields where the tenant has them."""
    config: AcumaticaConfig = tenant(located(configured(**settings)))
    return config


def test_fields_without_their_view() -> None:
    """A custom field written without its view is found in the one that has it; each entity is asked once."""
    tenant = Tenant()
    config = located_in(
        tenant,
        contact_opt_in="UsrKCOn",
        connection_type="UsrPlain",
        contact_reference="UsrKCRef",
        customer_reference="UsrKCRef",
        contact_attributes={"department": "AttributeDEPT", "number": "ExtRefNbr", "shop": "Attributes[SHOP]"},
    )
    assert config.contact_opt_in == UserField("Contact", "UsrKCOn")
    assert config.connection_type == PlainField("UsrPlain")
    assert config.contact_reference == UserField("ContactCurrent", "UsrKCRef")
    assert config.customer_reference == UserField("BAccount", "UsrKCRef")
    assert config.contact_attributes == {
        "department": UserField("ContactCurrent", "AttributeDEPT"),
        "number": PlainField("ExtRefNbr"),
        "shop": AttributeRow("SHOP"),
    }
    assert tenant.entities == ["Contact/$adHocSchema", "Customer/$adHocSchema"]
    assert [query(request) for request in tenant.asked] == [{}, {}]


def test_fields_with_their_view() -> None:
    """A custom field that is where the configuration says stays as it is."""
    config = located_in(Tenant(), contact_opt_in="Contact.UsrTwice", contact_reference="ContactCurrent.UsrTwice")
    assert config.contact_opt_in == UserField("Contact", "UsrTwice")
    assert config.contact_reference == UserField("ContactCurrent", "UsrTwice")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Contact.UsrKCRef", "write 'ContactCurrent.UsrKCRef'"),
        ("UsrTwice", "write 'Contact.UsrTwice' or 'ContactCurrent.UsrTwice'"),
        ("Contact.UsrPlain", "write 'UsrPlain'"),
        ("UsrNowhere", r"no field 'UsrNowhere' of Contact; .*Contact\.UsrKCOn, Contact\.UsrTwice"),
        ("Contact.UsrNowhere", r"no field 'Contact\.UsrNowhere'"),
    ],
)
def test_misplaced_fields(written: str, told: str) -> None:
    """A field that is elsewhere, in two views or nowhere is named, with where it really is."""
    with pytest.raises(ConfigurationError, match=told):
        located_in(Tenant(), contact_reference=written)


def test_an_entity_without_custom_fields() -> None:
    """An entity without any custom field says so."""
    with pytest.raises(ConfigurationError, match="custom fields there are: none"):
        located_in(Tenant(), location_reference="Location.UsrX")


@pytest.mark.parametrize(
    "settings",
    [
        {"contact_opt_in": "everyone", "contact_reference": "ExtRefNbr", "customer_reference": "AccountRef"},
        {"contact_opt_in": "Attributes[SHOP]"},
        {"contact_opt_in": "Sites[Name, On]"},
        {"contact_opt_in": "Contact.UsrNowhere", "check_fields": False},
    ],
)
def test_nothing_to_look_up(settings: dict[str, Any]) -> None:
    """Where no custom field is configured, or nobody wants them checked, nothing is asked."""
    tenant = Tenant()
    assert located_in(tenant, **settings) == configured(**settings)
    assert tenant.asked == []


@pytest.mark.parametrize("unreadable", [NO_ENTITY, answer([]), answer({"id": "x"}), Response(status=200, body=b"{")])
def test_a_schema_that_cannot_be_read(unreadable: Response) -> None:
    """Without a schema a field stays as it is written; one without its view can't be found."""
    tenant = Tenant(answers={"Contact": unreadable})
    assert located_in(tenant, contact_opt_in="Contact.UsrOn").contact_opt_in == UserField("Contact", "UsrOn")
    with pytest.raises(ConfigurationError, match="write the field 'UsrOn' with its view"):
        located_in(tenant, contact_opt_in="UsrOn")


def test_types_of_fields() -> None:
    """A schema tells ordinary fields, and custom ones with their types."""
    schema = Tenant()(read_schema(configured(), "Contact"))
    assert {"UsrPlain", "ExtRefNbr"} <= schema.plain
    assert schema.custom["Contact"] == {"UsrKCOn": "CustomBooleanField", "UsrTwice": "CustomStringField"}
