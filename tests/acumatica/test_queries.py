from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica_b2b.acumatica import queries
from acumatica_b2b.acumatica.listing import ascend, fits_path
from tests.acumatica.conftest import configured


def test_modified_since() -> None:
    """A moment is written in UTC, its plus sign encoded on the way."""
    moment = datetime(2024, 7, 15, 13, 31, 28, 402000, timezone(timedelta(hours=3)))
    where = queries.modified_since(moment)
    assert where == "LastModifiedDateTime ge datetimeoffset'2024-07-15T10:31:28.402+00:00'"
    url = queries.listing(configured(), queries.CONTACT_KEYS, where, 5).url
    assert "%2B00" in url
    assert dict(parse_qsl(urlsplit(url).query))["$filter"] == where


def test_filters() -> None:
    """Filters are put together with brackets around what is joined by `or`."""
    one = queries.any_of("Customer", ["A", "O'B"])
    assert one == "Customer eq 'A' or Customer eq 'O''B'"
    assert queries.all_of(one, "ContactID gt 3") == "(Customer eq 'A' or Customer eq 'O''B') and ContactID gt 3"
    assert queries.all_of("", one) == one
    assert queries.all_of("", "") == ""


@pytest.mark.parametrize(
    ("version", "there", "not_there"),
    [
        ("20.200.001", {"PrimaryContact/ContactID"}, {"NoteID", "Email", "PrimaryContactID", "IsGuestCustomer"}),
        ("22.200.001", {"PrimaryContact/ContactID", "NoteID", "IsGuestCustomer"}, {"Email", "CustomerCategory"}),
        ("24.200.001", {"PrimaryContactID", "NoteID", "Email", "CustomerCategory"}, {"PrimaryContact/ContactID"}),
    ],
)
def test_fields_of_versions(version: str, there: set[str], not_there: set[str]) -> None:
    """A version is asked for the fields it has, and for no other."""
    shape = queries.customers(configured(version=version))
    assert there <= set(shape.select)
    assert not not_there & set(shape.select)
    assert ("PrimaryContact" in shape.expand) == ("PrimaryContact/ContactID" in there)
    assert ("NoteID" in queries.locations(configured(version=version)).select) == (version != "20.200.001")
    assert ("Default" in queries.locations(configured(version=version)).select) == (version == "24.200.001")


def test_nested_fields_are_expanded() -> None:
    """Each nested field that is selected has its entity expanded."""
    for shape in (queries.customers(configured()), queries.locations(configured())):
        assert {path.rpartition("/")[0] for path in shape.select} - {""} == set(shape.expand)


def test_configured_fields_are_asked_for() -> None:
    """Custom fields go into `$custom`, ordinary ones into `$select`, each once."""
    config = configured(
        contact_opt_in="Contact.UsrOn",
        connection_type="Contact.UsrOn",
        contact_reference="ExtRefNbr",
        contact_attributes={"department": "Contact.AttributeDEPT", "mail": "Email"},
    )
    options = queries.contacts(config).options()
    assert options["$custom"] == "Contact.UsrOn,Contact.AttributeDEPT"
    assert options["$select"].split(",").count("Email") == 1
    assert "ExtRefNbr" in options["$select"]


@pytest.mark.parametrize("letter", ["0", "Ж"])
@pytest.mark.parametrize("length", [10, 30])
def test_a_group_fits_into_a_query(letter: str, length: int) -> None:
    """A filter over a full group, also of a later page, keeps the query below the 2,048 characters that IIS allows."""
    config = configured(contact_opt_in="Contact.UsrKCEnabled", connection_type="Contact.UsrKCConnectionType")
    ids = [f"C{i:02}".ljust(length, letter) for i in range(config.group)]
    (group, *_) = queries.groups(config, "BusinessAccount", ids)
    for shape, name, after in (
        (queries.customers(config), "CustomerID", (ids[0],)),
        (queries.contacts(config), "BusinessAccount", (100_000,)),
        (queries.locations(config), "Customer", (ids[0], "MAIN")),
    ):
        where = queries.all_of(queries.any_of(name, group), queries.bound(shape.keys, after, "gt"))
        assert len(urlsplit(queries.listing(config, shape, where, config.page).url).query) < 2048


@given(st.lists(st.text(max_size=30), max_size=50), st.integers(1, 25))
def test_groups(ids: list[str], group: int) -> None:
    """Ids are put into groups in their order, none left out, each small enough for a filter whatever it is made of."""
    found = queries.groups(configured(group=group), "BusinessAccount", ids)
    assert [one for several in found for one in several] == ids
    assert all(0 < len(several) <= group for several in found)
    for several in found:
        assert len(several) == 1 or len(quote(queries.any_of("BusinessAccount", several))) <= queries.FILTER_LENGTH


def test_long_ids() -> None:
    """Ids that grow when they are encoded are put into smaller groups."""
    found = queries.groups(configured(), "BusinessAccount", ["株式会社アクメ" * 4] * 20)
    assert sum(map(len, found)) == 20
    assert all(len(quote(queries.any_of("BusinessAccount", several))) <= queries.FILTER_LENGTH for several in found)


def test_ids_of_any_kind() -> None:
    """Quotes, slashes, bars, plus signs and letters of any alphabet reach the server as they are."""
    name = "O'H/A|R+A & Söhne 株式会社"
    where = queries.any_of("CustomerID", [name])
    url = queries.listing(configured(), queries.CUSTOMER_KEYS, where, 5).url
    assert dict(parse_qsl(urlsplit(url).query))["$filter"] == "CustomerID eq 'O''H/A|R+A & Söhne 株式会社'"
    assert url.isascii()


def test_rows_of_details_are_expanded() -> None:
    """Attributes and rows of sites are expanded, with nothing but the fields that are read."""
    config = configured(
        contact_opt_in="Sites[Name, On, Kind]",
        contact_reference="Attributes[REF]",
        contact_attributes={"a": "Attributes[A]"},
    )
    options = queries.contacts(config).options()
    assert options["$expand"] == "Sites,Attributes"
    nested = [path for path in options["$select"].split(",") if "/" in path]
    assert nested == ["Sites/Name", "Sites/On", "Sites/Kind", "Attributes/AttributeID", "Attributes/Value"]
    assert "$custom" not in options


@given(st.lists(st.tuples(st.text("ABC019", min_size=1, max_size=5)), unique=True))
def test_sorted_keys_ascend(keys: list[tuple[str]]) -> None:
    """Keys in order ascend; turned round, or with one repeated, they do not."""
    keys.sort()
    assert ascend(keys)
    assert len(keys) < 2 or not ascend(keys[::-1])
    assert not keys or not ascend([keys[0], *keys])


def test_collations() -> None:
    """Orders that ignore case or hyphens are taken for orders."""
    assert ascend([("a",), ("B",)])
    assert ascend([("COOP",), ("CO-OQ",), ("COOR",)])
    assert ascend([("A", 2), ("A", 10), ("B", 1)])


@pytest.mark.parametrize(("key", "fits"), [("C000000288", True), ("A B-C_1", True), ("A/B", False), ("A&B", False)])
def test_fits_path(*, key: str, fits: bool) -> None:
    """A key goes into a path only if IIS lets it through."""
    assert fits_path((key,)) is fits
