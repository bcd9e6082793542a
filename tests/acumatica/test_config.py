import pytest

from acumatica_b2b.acumatica import (
    AcumaticaConfig,
    AttributeRow,
    Everyone,
    OAuthPassword,
    Password,
    PlainField,
    SiteRows,
    UserField,
    opt_in,
    source,
)
from acumatica_b2b.errors import ConfigurationError
from tests.acumatica.conftest import URL, configured


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Contact.UsrKCEnabled", UserField("Contact", "UsrKCEnabled")),
        ("Contact.AttributeDEPT", UserField("Contact", "AttributeDEPT")),
        ("ExtRefNbr", PlainField("ExtRefNbr")),
        ("Attributes[WEB-SHOP]", AttributeRow("WEB-SHOP")),
        (" none ", None),
    ],
)
def test_source(text: str, expected: object) -> None:
    """A field is written `View.Field` where it is custom, `Field` where it is ordinary, `none` where there is none."""
    assert source(text) == expected
    assert expected is None or str(expected) == text


@pytest.mark.parametrize(
    "text", ["", "Contact.", "a.b.c", "Contact.Usr KC", "x' or 1 eq 1", "Attributes[A B]", "Sites[A,B,C]"]
)
def test_source_refused(text: str) -> None:
    """What is no name of a field is refused before anything is asked."""
    with pytest.raises(ConfigurationError, match="written neither"):
        source(text)


def test_opt_in() -> None:
    """The opt-in is a field or everyone, never nothing."""
    assert opt_in("Everyone") == Everyone()
    assert opt_in("Contact.UsrOn") == UserField("Contact", "UsrOn")
    assert opt_in("Attributes[SHOP]") == AttributeRow("SHOP")
    assert opt_in("Sites[Name,On]") == SiteRows("Sites", "Name", "On")
    assert str(opt_in("Sites[ Name , On,Type ]")) == "Sites[Name, On, Type]"
    with pytest.raises(ConfigurationError, match="everyone"):
        opt_in("none")


def test_written_forms() -> None:
    """A configuration takes sources in their written forms."""
    config = configured(
        contact_opt_in="Contact.UsrOn",
        contact_reference="ExtRefNbr",
        contact_attributes={"department": "Contact.AttributeDEPT", "nothing": "none"},
    )
    assert config.contact_opt_in == UserField("Contact", "UsrOn")
    assert config.contact_reference == PlainField("ExtRefNbr")
    assert config.contact_attributes == {"department": UserField("Contact", "AttributeDEPT")}


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "erp.example.com"},
        {"url": "ftp://erp.example.com"},
        {"url": "https://user:secret@erp.example.com"},
        {"url": "https://erp.example.com?x=1"},
        {"version": "latest"},
        {"endpoint": "KCF", "version": "1.0", "extends": "latest"},
        {"version": "22.200.001", "contact_reference": "ExtRefNbr"},
        {"version": "23.200.001", "location_reference": "ExtRefNbr"},
        {"wave": 0},
        {"group": -1},
    ],
)
def test_refused_settings(settings: dict[str, object]) -> None:
    """A setting that can't be meant is a ConfigurationError that shows no secret."""
    with pytest.raises(ConfigurationError) as caught:
        configured(**settings)
    assert "secret" not in str(caught.value)


def test_since() -> None:
    """Fields are those of the version, or of the Default version that a custom endpoint extends."""
    assert configured(version="24.200.001").since(23, 200)
    assert not configured(version="22.200.001").since(23, 200)
    assert configured(endpoint="KCF", version="1.0", extends="23.200.001").since(23, 200)
    assert not configured(endpoint="KCF", version="30.0").since(20, 200)


def test_references_without_customization() -> None:
    """ExtRefNbr holds references from 24.200 on; an endpoint of the tenant's own may have it earlier."""
    assert configured(version="24.200.001", contact_reference="ExtRefNbr").contact_reference == PlainField("ExtRefNbr")
    assert configured(endpoint="KCF", version="1", extends="22.200.001", location_reference="ExtRefNbr")
    assert configured(version="20.200.001", customer_reference="AccountRef")


def test_no_secret_in_repr() -> None:
    """Names, passwords and client secrets show in no repr."""
    shown = repr(Password("anna@example.com", "hush")) + repr(
        OAuthPassword(client_id="guid@Live", client_secret="hush", name="anna@example.com", password="hush")
    )
    assert "hush" not in shown
    assert "anna" not in shown


def test_opt_in_is_required() -> None:
    """Nobody is opted in by leaving the opt-in out."""
    with pytest.raises(TypeError):
        AcumaticaConfig(url=URL)  # type: ignore[call-arg]  # the point of the test
