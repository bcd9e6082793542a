"""The fields of a request's body: which there are, and what the API says to a wrong one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

from attrs import frozen

from acumatica_b2b.simulators.bigcommerce.envelope import NOT_NULL, invalid, is_list

Kind: TypeAlias = Literal["text", "email", "integer", "number", "integers", "flag"]

_EMAIL: Final = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;.]+")
_WRONG_KIND: Final[Mapping[Kind, str]] = {
    "text": "Not a valid string.",
    "email": "Not a valid string.",
    "integer": "A valid integer is required.",
    "number": "A valid integer is required.",
    "integers": "Expected a list of integers.",
    "flag": "Must be a valid boolean.",
}


@frozen(kw_only=True)
class Field:
    """One field, by its name in requests; a `required` one may not be blank either."""

    name: str
    kind: Kind = "text"
    longest: int = 255
    required: bool = False

    @property
    def attribute(self) -> str:
        """The name that errors and records use."""
        return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", self.name).lower()

    def complaint(self, value: Any) -> str | None:
        """Return what is wrong with a value; None: nothing."""
        if value is None:
            return NOT_NULL
        if not self._is_of_kind(value):
            return _WRONG_KIND[self.kind]
        if isinstance(value, str):
            return self._text_complaint(value)
        return None

    def _is_of_kind(self, value: Any) -> bool:
        match self.kind:
            case "text" | "email":
                return isinstance(value, str)
            case "integer":
                return type(value) is int
            case "number":  # the documentation writes it as a number here and as a text there
                return type(value) is int or (isinstance(value, str) and value.isdecimal())
            case "integers":
                return is_list(value) and all(type(item) is int for item in value)
            case "flag":
                return isinstance(value, bool)

    def _text_complaint(self, value: str) -> str | None:
        if len(value) > self.longest:
            return f"Ensure this field has no more than {self.longest} characters."
        if self.required and not value.strip():
            return "This field may not be blank."
        if self.kind == "email" and not _EMAIL.fullmatch(value):
            return "Enter a valid email address."
        return None


def read(body: Any, fields: Sequence[Field], *, creating: bool) -> dict[str, Any]:
    """Return the values that came, by attribute; keys nobody knows are passed over in silence.

    Raises:
        RefusedError: with every field that is wrong or, when creating, missing.

    """
    given = as_object(body)
    complaints = {
        field.attribute: [complaint]
        for field in fields
        if (field.name in given or (creating and field.required))
        and (complaint := field.complaint(given.get(field.name)))
    }
    if complaints:
        raise invalid(complaints)
    return {field.attribute: given[field.name] for field in fields if field.name in given}


def as_object(body: Any) -> Mapping[str, Any]:
    """Return a body that is a JSON object."""
    if isinstance(body, dict):
        return cast("dict[str, Any]", body)
    raise invalid({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]})
