"""How one Acumatica tenant is reached, and where it keeps what each tenant keeps elsewhere."""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Retries

SYSTEM_ENDPOINTS: Final = ("Default", "eCommerce")
"""The endpoints whose versions tell which fields they have."""


# ------------------------------------------------------------------ where a value is kept
@frozen
class Everyone:
    """No field: every contact is opted in, as where no customization is installed."""

    def __str__(self) -> str:
        return "everyone"


@frozen
class UserField:
    """A custom field of a view, or with a name `Attribute<ID>` a user-defined field.

    `GET /Contact/$adHocSchema` lists the views and fields a tenant has.
    """

    view: str
    name: str

    def __str__(self) -> str:
        return f"{self.view}.{self.name}"


@frozen
class PlainField:
    """An ordinary field of the entity, such as `ExtRefNbr` or one that a custom endpoint adds."""

    name: str

    def __str__(self) -> str:
        return self.name


@frozen
class AttributeRow:
    """The value of an attribute, by the attribute's id, on the Attributes tab."""

    name: str

    def __str__(self) -> str:
        return f"Attributes[{self.name}]"


@frozen
class SiteRows:
    """Detail rows that an extended endpoint shows of a contact, one a site.

    Each has the name of its site, whether it is enabled and, where there is such a field, the
    connection type.
    """

    detail: str
    site: str
    enabled: str
    connection_type: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a row that are read."""
        return tuple(name for name in (self.site, self.enabled, self.connection_type) if name)

    def __str__(self) -> str:
        return f"{self.detail}[{', '.join(self.fields)}]"


Source: TypeAlias = UserField | PlainField | AttributeRow
OptIn: TypeAlias = Everyone | SiteRows | Source


def source(text: str) -> Source | None:
    """Return where a value is kept, from its written form.

    A custom field may be written without its view, as `UsrKCEnabled`; the tenant is asked for it.

    >>> source("Contact.UsrKCEnabled"), source("ExtRefNbr"), source("none")
    (UserField(view='Contact', name='UsrKCEnabled'), PlainField(name='ExtRefNbr'), None)
    >>> source("Attributes[WEBSHOP]")
    AttributeRow(name='WEBSHOP')

    Raises:
        ConfigurationError: it is none of `View.Field`, `Field`, `Attributes[ID]` and `none`.

    """
    plain = text.strip()
    if plain.lower() == "none":
        return None
    if attribute := re.fullmatch(r"Attributes\[\s*([^\[\],'\s]+)\s*\]", plain):
        return AttributeRow(attribute[1])
    match = re.fullmatch(r"(?:(\w+)\.)?(\w+)", plain)
    if match is None:
        forms = "'View.Field' nor as 'Field' nor as 'Attributes[ID]'"
        message = f"field {text!r} is written neither as {forms}; 'none' stands for no field"
        raise ConfigurationError(message)
    view, name = match.groups()
    return UserField(view, name) if view else PlainField(name)


def opt_in(text: str) -> OptIn:
    """Return where a contact's opt-in is kept, from its written form; `everyone` stands for no field.

    >>> opt_in("Sites[SiteName, Enabled, ConnectionType]")
    SiteRows(detail='Sites', site='SiteName', enabled='Enabled', connection_type='ConnectionType')

    Raises:
        ConfigurationError: it is neither `everyone` nor `Detail[Site, Enabled, ConnectionType]` nor a `source`.

    """
    plain = text.strip()
    if plain.lower() == "everyone":
        return Everyone()
    if sites := re.fullmatch(r"(\w+)\[\s*(\w+)\s*,\s*(\w+)\s*(?:,\s*(\w+)\s*)?\]", plain):
        return SiteRows(*(part or "" for part in sites.groups()))
    where = source(plain)
    if where is None:
        message = "the opt-in of contacts is 'none'; write 'everyone', or the field that holds it as 'View.Field'"
        raise ConfigurationError(message)
    return where


def _source(value: Source | str | None) -> Source | None:
    return source(value) if isinstance(value, str) else value


def _opt_in(value: OptIn | str) -> OptIn:
    return opt_in(value) if isinstance(value, str) else value


def _sources(values: Mapping[str, Source | str]) -> Mapping[str, Source]:
    found = ((name, _source(value)) for name, value in values.items())
    return {name: where for name, where in found if where is not None}


# ------------------------------------------------------------------ the tenant
def _is_address(_: object, __: "Attribute[str]", url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        message = (
            "url is not the address of an Acumatica instance; write it as https://host/Instance, no user, no query"
        )
        raise ConfigurationError(message)


def _at_least_one(_: object, attribute: "Attribute[int]", value: int) -> None:
    if value < 1:
        message = f"{attribute.name} is {value}; it must be 1 or more"
        raise ConfigurationError(message)


@frozen(kw_only=True)
class AcumaticaConfig:
    """One tenant of an Acumatica instance. Times are in seconds.

    `contact_opt_in`, `connection_type`, the three references and `contact_attributes` say where a
    value is kept, as a `Source` or in its written form: `"Contact.UsrKCEnabled"` (a custom or
    user-defined field), `"ExtRefNbr"` (an ordinary field), `"Attributes[WEBSHOP]"` (a row of the tab
    Attributes), `"none"`; for the opt-in also `"everyone"` and `"Detail[Site, Enabled, ConnectionType]"`
    (rows of sites, which an extended endpoint shows).

    >>> AcumaticaConfig(url="https://erp.example.com/Live", contact_opt_in="Contact.UsrOn").contact_opt_in
    UserField(view='Contact', name='UsrOn')

    Raises:
        ConfigurationError: a value can't be meant.

    """

    url: str = field(validator=_is_address)
    tenant: str = ""
    branch: str = ""
    endpoint: str = "Default"
    version: str = "24.200.001"
    """Left empty, the newest that the instance offers and this library knows."""
    extends: str = ""
    """The version of the endpoint Default that a custom endpoint extends."""

    contact_opt_in: OptIn = field(converter=_opt_in)
    connection_type: Source | None = field(default=None, converter=_source)
    contact_reference: Source | None = field(default=None, converter=_source)
    customer_reference: Source | None = field(default=None, converter=_source)
    location_reference: Source | None = field(default=None, converter=_source)
    contact_attributes: Mapping[str, Source] = field(factory=dict[str, Source], converter=_sources, hash=False)
    """Further fields of contacts to read, by the names they get in `Contact.attributes`."""
    enabled_texts: tuple[str, ...] = ("1", "true", "yes")
    """What means "opted in" where the opt-in is a text; compared without case."""
    sites: tuple[str, ...] = ()
    """The sites that this store is, where the opt-in is kept in rows of sites; none named: every site."""
    site_types: tuple[str, ...] = ()
    """The connection types with which such a row counts; none named: every type."""
    check_fields: bool = True
    """Ask `$adHocSchema` once whether the custom fields are where the configuration says."""

    wave: int = field(default=200, validator=_at_least_one)
    """Customers read together."""
    page: int = field(default=500, validator=_at_least_one)
    """Contacts or locations asked for at once."""
    keys_page: int = field(default=2000, validator=_at_least_one)
    """Rows asked for at once where only keys are read."""
    group: int = field(default=20, validator=_at_least_one)
    """Customers named in one filter: IIS refuses long queries."""
    ranges: bool = True
    """Contacts and locations of a wave are read by the range of its customers' ids, else by groups of ids."""

    overlap: float = 300.0
    """How far a reading of changes reaches back behind its watermark; never less than `read_deadline`."""
    read_deadline: float = 300.0
    """Long, because the licence lets requests wait in a queue."""
    write_deadline: float = 60.0
    patch: bool = False
    """Write with PATCH, which 2025 R1 and later have, instead of PUT."""
    retries: Retries = field(factory=Retries)

    def __attrs_post_init__(self) -> None:
        if self.fields_of and not re.fullmatch(r"\d+\.\d+(\.\d+)?", self.fields_of):
            way_out = f"say with `extends` which version of Default the endpoint {self.endpoint!r} extends"
            message = f"version {self.fields_of!r} is not of the form 24.200.001; {way_out}"
            raise ConfigurationError(message)
        if not self.version or self.endpoint not in SYSTEM_ENDPOINTS or self.since(24, 200):
            return
        references = {"contact_reference": self.contact_reference, "location_reference": self.location_reference}
        for name, where in references.items():
            if where == PlainField("ExtRefNbr"):
                message = f"{name} is ExtRefNbr, which came with 24.200.001; take a later `version` or a custom field"
                raise ConfigurationError(message)

    @property
    def fields_of(self) -> str:
        """The version of the endpoint Default whose fields there are; "": not known."""
        return self.extends or (self.version if self.endpoint in SYSTEM_ENDPOINTS else "")

    def since(self, year: int, release: int) -> bool:
        """Return whether the endpoint is known to have the fields that came with Default `year`.`release`."""
        if not self.fields_of:
            return False
        major, minor, *_ = (int(part) for part in self.fields_of.split("."))
        return (major, minor) >= (year, release)
