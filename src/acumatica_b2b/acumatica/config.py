"""How one Acumatica tenant is reached, and where it keeps what each tenant keeps elsewhere."""

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from acumatica_b2b.errors import ConfigurationError
from acumatica_b2b.http import Retries


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


Source: TypeAlias = UserField | PlainField
OptIn: TypeAlias = Everyone | Source


def source(text: str) -> Source | None:
    """Return where a value is kept, from its written form.

    >>> source("Contact.UsrKCEnabled"), source("ExtRefNbr"), source("none")
    (UserField(view='Contact', name='UsrKCEnabled'), PlainField(name='ExtRefNbr'), None)

    Raises:
        ConfigurationError: it is neither `View.Field` nor `Field` nor `none`.

    """
    if text.strip().lower() == "none":
        return None
    match = re.fullmatch(r"(?:(\w+)\.)?(\w+)", text.strip())
    if match is None:
        message = f"field {text!r} is written neither as 'View.Field' nor as 'Field'; 'none' stands for no field"
        raise ConfigurationError(message)
    view, name = match.groups()
    return UserField(view, name) if view else PlainField(name)


def opt_in(text: str) -> OptIn:
    """Return where a contact's opt-in is kept, from its written form; `everyone` stands for no field.

    Raises:
        ConfigurationError: it is neither `everyone` nor `View.Field` nor `Field`.

    """
    if text.strip().lower() == "everyone":
        return Everyone()
    where = source(text)
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
    user-defined field), `"ExtRefNbr"` (an ordinary field), `"none"`, for the opt-in `"everyone"`.

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
    retries: Retries = field(factory=Retries)

    def __attrs_post_init__(self) -> None:
        if not re.fullmatch(r"\d+\.\d+(\.\d+)?", self.fields_of):
            way_out = f"say with `extends` which version of Default the endpoint {self.endpoint!r} extends"
            message = f"version {self.fields_of!r} is not of the form 24.200.001; {way_out}"
            raise ConfigurationError(message)

    @property
    def fields_of(self) -> str:
        """The version of the endpoint Default whose fields there are."""
        if self.extends or self.endpoint in {"Default", "eCommerce"}:
            return self.extends or self.version
        return ""

    def since(self, year: int, release: int) -> bool:
        """Return whether the endpoint has the fields that came with Default `year`.`release`."""
        major, minor, *_ = (int(part) for part in self.fields_of.split("."))
        return (major, minor) >= (year, release)
