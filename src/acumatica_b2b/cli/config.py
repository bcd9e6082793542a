"""The configuration: a TOML file, and the secrets, which only the environment holds."""

import enum
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from acumatica_b2b.acumatica import AcumaticaConfig, Credentials, OAuthPassword, Password
from acumatica_b2b.bigcommerce import BigCommerceConfig
from acumatica_b2b.cli.tables import Kind, Table, check_keys, is_table, read_record, read_values
from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.model import RecordKind
from acumatica_b2b.policy import SyncPolicy
from acumatica_b2b.quota import Quota

PASSWORD: Final = "ACUMATICA_PASSWORD"  # noqa: S105  # the variable's name
CLIENT_SECRET: Final = "ACUMATICA_CLIENT_SECRET"  # noqa: S105  # as above
TOKEN: Final = "BIGCOMMERCE_TOKEN"  # noqa: S105  # as above


class Auth(enum.Enum):
    """How to sign in to Acumatica."""

    PASSWORD = "password"  # noqa: S105  # a word of the file
    OAUTH = "oauth"


_ACUMATICA: Final[Mapping[str, tuple[str, Kind]]] = {
    "url": ("url", str),
    "tenant": ("tenant", str),
    "branch": ("branch", str),
    "endpoint": ("endpoint", str),
    "endpoint_version": ("version", str),
    "extends": ("extends", str),
    "opt_in": ("contact_opt_in", str),
    "enabled_texts": ("enabled_texts", tuple[str, ...]),
    "connection_type": ("connection_type", str),
    "reference_customer": ("customer_reference", str),
    "reference_contact": ("contact_reference", str),
    "reference_location": ("location_reference", str),
    "attributes": ("contact_attributes", Mapping[str, str]),
    "sites": ("sites", tuple[str, ...]),
    "site_types": ("site_types", tuple[str, ...]),
    "check_fields": ("check_fields", bool),
    "patch": ("patch", bool),
    "wave": ("wave", int),
    "page": ("page", int),
    "keys_page": ("keys_page", int),
    "group": ("group", int),
    "ranges": ("ranges", bool),
    "overlap": ("overlap", float),
    "read_deadline": ("read_deadline", float),
    "write_deadline": ("write_deadline", float),
}
"""The keys of [acumatica], each with its field of `AcumaticaConfig` and its kind."""

_ACCOUNT: Final[Mapping[str, Kind]] = {"auth": Auth, "name": str, "client_id": str}
"""The keys of [acumatica] that say who signs in."""

_BIGCOMMERCE: Final[Mapping[str, Kind]] = {
    "url": str,
    "store_hash": str,
    "core_url": str,
    "channel_ids": tuple[int, ...],
    "channels": Mapping[str, int],
    "catalog_id": int,
    "customer_group_id": int,
    "company_id_field": str,
    "welcome_mail": bool,
    "page_size": int,
    "deadline": float,
}
_QUOTA: Final[Mapping[str, str]] = {
    "requests_per_minute": "requests",
    "concurrent_requests": "concurrent",
    "keep_requests": "keep",
}
"""The keys of either section that bound its requests, each with its field of `Quota`."""
_OF_BIGCOMMERCE: Final[Mapping[str, int]] = {"requests": 150, "keep": 3}
"""What a store allows all its integrations, less a few for the others."""

_SECTIONS: Final = ("acumatica", "bigcommerce", "log", "policy")
_SECRETS: Final = {"password": PASSWORD, "client_secret": CLIENT_SECRET, "token": TOKEN}


@frozen(kw_only=True)
class Account:
    """Who signs in to Acumatica."""

    name: str
    auth: Auth = Auth.PASSWORD
    client_id: str = ""


@frozen(kw_only=True)
class Config:
    """What the file says."""

    acumatica: AcumaticaConfig
    account: Account
    bigcommerce: Mapping[str, Any]
    """The arguments of `BigCommerceConfig`, its token aside."""
    log: Path
    policy: SyncPolicy = field(factory=SyncPolicy)
    acumatica_quota: Mapping[str, int] = field(factory=dict[str, int])
    """The arguments of the `Quota` of Acumatica's requests."""
    bigcommerce_quota: Mapping[str, int] = _OF_BIGCOMMERCE

    def budgets(self) -> tuple[Quota, Quota]:
        """Return what both clients may spend, fresh."""
        return Quota(**self.acumatica_quota), Quota(**self.bigcommerce_quota)

    def credentials(self, environ: Mapping[str, str]) -> Credentials:
        """Return what Acumatica is signed in with.

        Raises:
            ConfigurationError: the environment holds no such secret.

        """
        password = _secret(environ, PASSWORD, f"the password of {self.account.name!r} in Acumatica")
        if self.account.auth is Auth.PASSWORD:
            return Password(self.account.name, password)
        secret = _secret(environ, CLIENT_SECRET, f"the secret of the connected application {self.account.client_id!r}")
        return OAuthPassword(
            client_id=self.account.client_id, client_secret=secret, name=self.account.name, password=password
        )

    def storefront(self, environ: Mapping[str, str]) -> BigCommerceConfig:
        """Return what the BigCommerce client has to be told.

        Raises:
            ConfigurationError: the environment holds no token, or a value is none that a store accepts.

        """
        token = _secret(environ, TOKEN, f"the API token of store {self.bigcommerce['store_hash']!r}")
        return BigCommerceConfig(token=token, **self.bigcommerce)


def _secret(environ: Mapping[str, str], name: str, what: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set; it holds {what}")
    return value


# ------------------------------------------------------------------ reading
def read_config(path: Path) -> Config:
    """Return what a file says; a relative path of the log counts from the file's folder.

    Raises:
        ConfigurationError: there is no such file, it is no TOML, or a key or value of it is wrong.

    """
    try:
        config = parse_config(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = (
            f"there is no configuration file {str(path)!r}; name another one with --config, "
            "or let `acumatica-b2b simulate --write-config FILE` make one to try"
        )
        raise ConfigurationError(message) from None
    except OSError as error:
        raise ConfigurationError(f"configuration file {str(path)!r} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"configuration file {str(path)!r} is no UTF-8; save it anew") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"configuration file {str(path)!r}: {error}") from None
    return evolve(config, log=path.parent / config.log)


def parse_config(text: str) -> Config:
    """Return what a TOML text says.

    Raises:
        ConfigurationError: it is no TOML, or a key or value of it is wrong.

    """
    try:
        tables: Table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"it is no TOML: {error}") from None
    check_keys(tables, _SECTIONS, "the file")
    sections = {name: _section(tables, name) for name in _SECTIONS}
    quotas = {name: _quota(sections, name) for name in ("acumatica", "bigcommerce")}
    acumatica = _acumatica(sections["acumatica"])
    log = read_values(sections["log"], {"file": str}, "[log]")
    return Config(
        acumatica=acumatica,
        account=_account(sections["acumatica"]),
        bigcommerce=_bigcommerce(sections["bigcommerce"]),
        log=Path(log.get("file", "acumatica-b2b.sqlite")),
        policy=evolve(_policy(sections["policy"]), write_back=_written_back(acumatica)),
        acumatica_quota=quotas["acumatica"],
        bigcommerce_quota=quotas["bigcommerce"],
    )


def _section(tables: Table, name: str) -> Table:
    section: object = tables.get(name, {})
    if not is_table(section):
        raise ConfigurationError(f"{name} has to be a table: write [{name}]")
    for key in _SECRETS.keys() & section.keys():
        raise ConfigurationError(f"[{name}] holds {key!r}; secrets come from the environment: set {_SECRETS[key]}")
    return section


def _quota(sections: Mapping[str, Table], name: str) -> Mapping[str, int]:
    own = {key: given for key, given in sections[name].items() if key in _QUOTA}
    values = read_values(own, dict.fromkeys(_QUOTA, int), f"[{name}]")
    usual = _OF_BIGCOMMERCE if name == "bigcommerce" else {}
    bounds = {**usual, **{_QUOTA[key]: value for key, value in values.items()}}
    try:
        Quota(**bounds)
    except ConfigurationError:
        told = ", ".join(f"{key} = {bounds[to]}" for key, to in _QUOTA.items() if to in bounds)
        raise ConfigurationError(f"[{name}] lets no request out: {told}; keep fewer, or allow more") from None
    return bounds


def _required(values: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not values.get(name):
            raise ConfigurationError(f"{where} has no key {name!r}, which is needed")


def _acumatica(section: Table) -> AcumaticaConfig:
    check_keys(section, [*_ACUMATICA, *_ACCOUNT, *_QUOTA], "[acumatica]")
    _required(section, ("url", "name", "opt_in"), "[acumatica]")
    own = {key: given for key, given in section.items() if key in _ACUMATICA}
    values = read_values(own, {key: kind for key, (_, kind) in _ACUMATICA.items()}, "[acumatica]")
    return AcumaticaConfig(**{_ACUMATICA[key][0]: value for key, value in values.items()})


def _account(section: Table) -> Account:
    own = {key: given for key, given in section.items() if key in _ACCOUNT}
    account = Account(**read_values(own, _ACCOUNT, "[acumatica]"))
    if account.auth is Auth.OAUTH and not account.client_id:
        raise ConfigurationError("[acumatica] has no key 'client_id', which auth = \"oauth\" needs")
    return account


def _bigcommerce(section: Table) -> Mapping[str, Any]:
    check_keys(section, [*_BIGCOMMERCE, *_QUOTA], "[bigcommerce]")
    own = {key: given for key, given in section.items() if key in _BIGCOMMERCE}
    values = read_values(own, _BIGCOMMERCE, "[bigcommerce]")
    _required(values, ("store_hash",), "[bigcommerce]")
    return values


def _policy(section: Table) -> SyncPolicy:
    return read_record(section, SyncPolicy, "[policy]", without=frozenset({"write_back"}))


def _written_back(acumatica: AcumaticaConfig) -> frozenset[RecordKind]:
    """Return the kinds of record that have a field for the commerce reference ID."""
    fields = {
        RecordKind.CUSTOMER: acumatica.customer_reference,
        RecordKind.CONTACT: acumatica.contact_reference,
        RecordKind.LOCATION: acumatica.location_reference,
    }
    return frozenset(kind for kind, where in fields.items() if where is not None)
