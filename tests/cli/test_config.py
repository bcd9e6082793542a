from pathlib import Path

import pytest

from acumatica_b2b.acumatica import OAuthPassword, Password, PlainField, UserField
from acumatica_b2b.acumatica.config import AttributeRow, SiteRows
from acumatica_b2b.cli.config import parse_config, read_config
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.model import RecordKind
from acumatica_b2b.policy import ExistingShoppers, FirstAdmin, TakeBack

ACUMATICA = '[acumatica]\nurl = "https://erp.example.com/Live"\nname = "sync"\nopt_in = "Contact.UsrOn"\n'
SHOP = '[bigcommerce]\nstore_hash = "abc"\n'
SECRETS = {"ACUMATICA_PASSWORD": "hunter2", "ACUMATICA_CLIENT_SECRET": "hunter3", "BIGCOMMERCE_TOKEN": "hunter4"}


def test_two_sections_are_enough() -> None:
    """Four lines about Acumatica and one about BigCommerce make a configuration; the rest has defaults."""
    config = parse_config(ACUMATICA + SHOP)
    assert config.acumatica.contact_opt_in == UserField("Contact", "UsrOn")
    assert config.log == Path("acumatica-b2b.sqlite")
    assert config.policy.primary_role == "Admin"
    assert config.storefront(SECRETS).store_hash == "abc"


def test_every_key_goes_where_it_belongs() -> None:
    """What the file says reaches the clients' configurations and the policy under their own names."""
    text = (
        f'{ACUMATICA}tenant = "Company"\nbranch = "MAIN"\nendpoint_version = "25.200.001"\nconnection_type = "none"\n'
        'reference_contact = "ExtRefNbr"\nread_deadline = 10\nranges = false\nenabled_texts = ["on"]\n'
        'attributes = { floor = "Contact.UsrFloor" }\n'
        f'{SHOP}channel_ids = [1, 7]\ncompany_id_field = "ERP ID"\nwelcome_mail = true\n'
        '[policy]\ncustomer_classes = ["LOCAL"]\ncustomer_statuses = "any"\ntake_back = "all"\nlease = 60\n'
        'first_admin = "lowest-contact"\nguests = true\n[policy.limits]\nremovals = 3\n[policy.lengths]\nname = 50\n'
    )
    config = parse_config(text)
    assert (config.acumatica.tenant, config.acumatica.branch, config.acumatica.version) == (
        "Company",
        "MAIN",
        "25.200.001",
    )
    assert (config.acumatica.connection_type, config.acumatica.contact_reference) == (None, PlainField("ExtRefNbr"))
    assert (config.acumatica.read_deadline, config.acumatica.ranges, config.acumatica.enabled_texts) == (
        10,
        False,
        ("on",),
    )
    assert config.acumatica.contact_attributes == {"floor": UserField("Contact", "UsrFloor")}
    shop = config.storefront(SECRETS)
    assert (shop.channel_ids, shop.company_id_field, shop.welcome_mail) == ((1, 7), "ERP ID", True)
    policy = config.policy
    assert (policy.customer_classes, policy.customer_statuses, policy.guests) == (frozenset({"LOCAL"}), None, True)
    assert (policy.take_back, policy.first_admin) == (TakeBack.ALL, FirstAdmin.LOWEST_CONTACT)
    assert (policy.lease, policy.limits.removals, policy.lengths.name) == (60, 3, 50)


@pytest.mark.parametrize(("written", "days"), [("30", 30.0), ("1.5", 1.5), ('"forever"', None)])
def test_for_how_long_the_customer_log_is_kept(written: str, days: float | None) -> None:
    """The Customer Log is kept for a number of days, or for ever."""
    policy = parse_config(f"{ACUMATICA}{SHOP}[policy]\nretention_days = {written}\n").policy
    assert policy.retention_days == days


def test_further_places_and_channels_are_read() -> None:
    """Attributes, rows of sites, fields without a view, channels of sites and price lists can be configured."""
    text = (
        '[acumatica]\nurl = "https://erp.example.com/Live"\nname = "sync"\nendpoint_version = ""\npatch = true\n'
        'opt_in = "Sites[SiteName, Enabled, ConnectionType]"\nsites = ["Shop"]\nsite_types = ["B2B"]\n'
        'reference_contact = "Attributes[WEBSHOP]"\nreference_customer = "UsrShopID"\ncheck_fields = false\n'
        f'{SHOP}channels = {{ Shop = 7 }}\ncatalog_id = 12\ncore_url = "https://core.example.com"\n'
        '[policy]\nexisting_shoppers = "hold"\nparking_domain = "parked.example.com"\n'
    )
    config = parse_config(text)
    erp, shop = config.acumatica, config.storefront(SECRETS)
    assert erp.contact_opt_in == SiteRows("Sites", "SiteName", "Enabled", "ConnectionType")
    assert (erp.sites, erp.site_types, erp.check_fields, erp.patch, erp.version) == (
        ("Shop",),
        ("B2B",),
        False,
        True,
        "",
    )
    assert (erp.contact_reference, erp.customer_reference) == (AttributeRow("WEBSHOP"), PlainField("UsrShopID"))
    assert (shop.channels, shop.catalog_id, shop.core_url) == ({"Shop": 7}, 12, "https://core.example.com")
    assert config.policy.existing_shoppers is ExistingShoppers.HOLD
    assert config.policy.parking_domain == "parked.example.com"


def test_budgets_are_configured() -> None:
    """Requests a minute, those at once and those left to others bound each client; a store has its 150 by default."""
    plain = parse_config(ACUMATICA + SHOP).budgets()
    assert [(one.requests, one.concurrent, one.keep) for one in plain] == [(None, None, 0), (150, None, 3)]
    text = f"{ACUMATICA}requests_per_minute = 50\nconcurrent_requests = 2\n{SHOP}keep_requests = 75\n"
    bound = parse_config(text).budgets()
    assert [(one.requests, one.concurrent, one.keep) for one in bound] == [(50, 2, 0), (150, None, 75)]


def test_only_records_with_a_field_get_the_reference() -> None:
    """The commerce reference ID is written back to the kinds of record that have a field for it, to no other."""
    assert parse_config(ACUMATICA + SHOP).policy.write_back == frozenset()
    both = 'reference_customer = "BAccount.UsrRef"\nreference_contact = "Contact.UsrRef"\nreference_location = "none"\n'
    assert parse_config(ACUMATICA + both + SHOP).policy.write_back == {RecordKind.CUSTOMER, RecordKind.CONTACT}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["[acumatica] has no key 'url'"]),
        ("acumatica = 1", ["acumatica has to be a table", "[acumatica]"]),
        ("[acumatika]", ["the file has the unknown key 'acumatika'", "'acumatica'"]),
        (ACUMATICA, ["[bigcommerce] has no key 'store_hash'"]),
        (ACUMATICA + 'tenat = "Company"', ["[acumatica] has the unknown key 'tenat'", "'tenant'"]),
        (ACUMATICA + 'contact_reference = "X"', ["'contact_reference'", "'reference_contact'"]),
        (ACUMATICA + "wave = true", ["[acumatica] wave has to be a whole number, not true or false"]),
        (ACUMATICA + "wave = 0", ["wave is 0"]),
        (ACUMATICA + "overlap = '5'", ["[acumatica] overlap has to be a number, not a text"]),
        (ACUMATICA + 'enabled_texts = "yes"', ["[acumatica] enabled_texts has to be a list of texts, not a text"]),
        (ACUMATICA + "attributes = { a = 1 }", ["[acumatica] attributes has to be a table of texts"]),
        (ACUMATICA + 'auth = "basic"', ["[acumatica] auth has to be one of 'password', 'oauth'"]),
        (ACUMATICA + 'auth = "oauth"', ["[acumatica] has no key 'client_id'"]),
        (ACUMATICA + 'password = "hunter2"', ["[acumatica] holds 'password'", "set ACUMATICA_PASSWORD"]),
        (ACUMATICA + SHOP + 'token = "hunter2"', ["[bigcommerce] holds 'token'", "set BIGCOMMERCE_TOKEN"]),
        (ACUMATICA + SHOP + 'channel_ids = ["1"]', ["[bigcommerce] channel_ids has to be a list of whole numbers"]),
        (ACUMATICA + SHOP + "[log]\npath = 'x'", ["[log] has the unknown key 'path'", "'file'"]),
        (ACUMATICA + SHOP + "[policy]\nwrite_back = []", ["[policy] has the unknown key 'write_back'"]),
        (ACUMATICA + SHOP + "[policy]\ncustomer_class = []", ["'customer_class'", "'customer_classes'"]),
        (ACUMATICA + SHOP + "[policy]\nretention_days = 'never'", ["retention_days", 'a number, or "forever"']),
        (ACUMATICA + SHOP + "[policy]\nconnection_types = 'B2B'", ["connection_types", 'a list of texts, or "any"']),
        (ACUMATICA + SHOP + "[policy]\ntake_back = 'mine'", ["one of 'ours', 'linked', 'all'"]),
        (ACUMATICA + SHOP + "[policy]\nuser_role = 'Admin'", ["primary_role and user_role are both 'Admin'"]),
        (ACUMATICA + SHOP + "[policy]\nlimits = 1", ["[policy] limits has to be a table"]),
        (
            ACUMATICA + SHOP + "[policy.limits]\nremovls = 1",
            ["[policy] limits has the unknown key 'removls'", "'removals'"],
        ),
        (
            ACUMATICA + "requests_per_minute = 0\n" + SHOP,
            ["[acumatica] lets no request out"],
        ),
        (ACUMATICA + SHOP + "keep_requests = 150", ["[bigcommerce] lets no request out", "keep_requests = 150"]),
        (ACUMATICA + SHOP + 'channels = { Shop = "7" }', ["[bigcommerce] channels has to be a table of whole numbers"]),
        ("[acumatica", ["it is no TOML"]),
    ],
)
def test_a_mistake_is_named_with_the_way_out(text: str, words: list[str]) -> None:
    """A wrong key, kind or value is named with its section and with what would be right; a secret is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text)
    message = str(caught.value)
    assert [part for part in words if part not in message] == []
    assert "hunter" not in message


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A file that is missing, no text, or wrong inside is named by its path."""
    with pytest.raises(ConfigurationError, match=r"there is no configuration file .*none\.toml.*--config"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_config(tmp_path)
    wrong = tmp_path / "wrong.toml"
    wrong.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"wrong\.toml.*is no UTF-8"):
        read_config(wrong)
    wrong.write_text("[log]\nfile = 1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"wrong\.toml.*\[acumatica\]"):
        read_config(wrong)


def test_the_log_lies_beside_the_file(tmp_path: Path) -> None:
    """A relative path of the sync log counts from the configuration's folder, wherever the command runs."""
    file = tmp_path / "here.toml"
    file.write_text(ACUMATICA + SHOP + '[log]\nfile = "logs/sync.sqlite"', encoding="utf-8")
    assert read_config(file).log == tmp_path / "logs" / "sync.sqlite"


def test_secrets_come_from_the_environment() -> None:
    """Password, client secret and token are taken from the environment and stand in no representation."""
    config = parse_config(ACUMATICA + SHOP)
    assert config.credentials(SECRETS) == Password("sync", "hunter2")
    oauth = parse_config(ACUMATICA + 'auth = "oauth"\nclient_id = "123@Company"\n' + SHOP)
    wanted = OAuthPassword(client_id="123@Company", client_secret="hunter3", name="sync", password="hunter2")
    assert oauth.credentials(SECRETS) == wanted
    assert "hunter" not in f"{config} {oauth} {wanted} {config.storefront(SECRETS)}"


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_missing_secret_is_named(missing: str) -> None:
    """Where the environment lacks a secret, or has it empty, the variable is named."""
    config = parse_config(ACUMATICA + 'auth = "oauth"\nclient_id = "123@Company"\n' + SHOP)
    environ = SECRETS | {missing: ""}
    with pytest.raises(ConfigurationError, match=f"{missing} is not set"):
        (config.credentials(environ), config.storefront(environ))
