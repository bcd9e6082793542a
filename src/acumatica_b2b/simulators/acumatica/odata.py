"""The part of OData v3 that `$filter` of the contract-based API understands, as a tree."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias, assert_never, cast

from attrs import define, field, frozen

from acumatica_b2b.simulators.acumatica.schema import Kind

Operator: TypeAlias = Literal["eq", "ne", "gt", "ge", "lt", "le"]


class ODataError(Exception):
    """A filter that is not one, or that does not fit its fields."""

    def __init__(self, *, text: str) -> None:
        super().__init__(text)


@frozen
class Constant:
    """A literal; `kind` is None for `null`."""

    kind: Kind | None
    value: str | int | bool | Decimal | datetime | None


@frozen
class Name:
    """A field, or a path to one in a linked entity."""

    path: str


@frozen
class Custom:
    """A custom field, such as `cf.String(f='Contact.UsrX')`."""

    kind: Kind
    field: str


@frozen
class Match:
    """One of the three functions on texts."""

    function: str
    text: "Operand"
    part: "Operand"


@frozen
class Compare:
    """Two operands and what is asked of them."""

    operator: Operator
    left: "Operand"
    right: "Operand"


@frozen
class And:
    """Both."""

    left: "Node"
    right: "Node"


@frozen
class Or:
    """One at least."""

    left: "Node"
    right: "Node"


@frozen
class Not:
    """The opposite."""

    node: "Node"


Operand: TypeAlias = Constant | Name | Custom | Match
Node: TypeAlias = Operand | Compare | And | Or | Not

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<prefix>datetimeoffset|date|guid)'(?P<quoted>[^']*)'
      | '(?P<text>(?:[^']|'')*)'
      | (?P<number>-?\d+(?:\.\d+)?)(?P<suffix>[mMdDfFlL]?)(?![\w.])
      | (?P<name>[A-Za-z_][\w./]*)
      | (?P<mark>[(),=])
    )""",
    re.VERBOSE,
)
_OPERATORS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_MATCHES: Final = frozenset({"substringof", "startswith", "endswith"})
_CUSTOM_KINDS: Final = {
    "String": Kind.STRING,
    "Boolean": Kind.BOOLEAN,
    "Int": Kind.INT,
    "Decimal": Kind.DECIMAL,
    "DateTime": Kind.MOMENT,
    "Guid": Kind.GUID,
}
_WORDS: Final = {
    "true": Constant(Kind.BOOLEAN, value=True),
    "false": Constant(Kind.BOOLEAN, value=False),
    "null": Constant(None, None),
}


def parse(text: str) -> Node:
    """Return the tree of a filter.

    Raises:
        ODataError: it is no filter, or uses a function that OData v3 does not have here.

    """
    reader = _Reader(tuple(_tokens(text)))
    node = reader.either()
    if reader.peek() is not None:
        raise ODataError(text=f"Syntax error at position {reader.position} in '{text}'.")
    return node


def names(node: Node) -> frozenset[str]:
    """Return the paths of all fields that a filter names; custom fields are not among them."""
    match node:
        case Name(path):
            return frozenset({path})
        case Match(_, one, two) | Compare(_, one, two) | And(one, two) | Or(one, two):
            return names(one) | names(two)
        case Not(inner):
            return names(inner)
        case Constant() | Custom():
            return frozenset()
        case _:
            assert_never(node)


@frozen
class _Token:
    kind: str
    text: str
    constant: Constant | None = None


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise ODataError(text=f"Syntax error at position {position} in '{text}'.")
        position = found.end()
        yield _token(found)


def _token(found: re.Match[str]) -> _Token:
    if found["prefix"]:
        return _Token("constant", found[0], _prefixed(found["prefix"], found["quoted"]))
    if found["text"] is not None:
        return _Token("constant", found[0], Constant(Kind.STRING, found["text"].replace("''", "'")))
    if found["number"]:
        return _Token("constant", found[0], _number(found["number"], found["suffix"].upper()))
    if found["name"] in _WORDS:
        return _Token("constant", found[0], _WORDS[found["name"]])
    return _Token("name" if found["name"] else "mark", found["name"] or found["mark"])


def _number(digits: str, suffix: str) -> Constant:
    if "." in digits or suffix in {"M", "D", "F"}:
        return Constant(Kind.DECIMAL, Decimal(digits))
    return Constant(Kind.INT, int(digits))


def _prefixed(prefix: str, text: str) -> Constant:
    if prefix == "guid":
        return Constant(Kind.GUID, text.lower())
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise ODataError(text=f"Unrecognized '{prefix}' literal '{text}'.") from None
    return Constant(Kind.MOMENT, moment.replace(tzinfo=moment.tzinfo or UTC))


@define
class _Reader:
    tokens: tuple[_Token, ...]
    position: int = field(default=0, init=False)

    def peek(self) -> str | None:
        """Return the next token's text; a constant's says nothing."""
        if self.position == len(self.tokens):
            return None
        token = self.tokens[self.position]
        return "" if token.kind == "constant" else token.text

    def take(self) -> _Token:
        if self.position == len(self.tokens):
            raise ODataError(text="Expression expected at the end of the filter.")
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, text: str) -> None:
        if self.take().text != text:
            raise ODataError(text=f"'{text}' expected at token {self.position} of the filter.")

    def either(self) -> Node:
        node = self.both()
        while self.peek() == "or":
            self.take()
            node = Or(node, self.both())
        return node

    def both(self) -> Node:
        node = self.negation()
        while self.peek() == "and":
            self.take()
            node = And(node, self.negation())
        return node

    def negation(self) -> Node:
        if self.peek() != "not":
            return self.comparison()
        self.take()
        node = self.negation()
        if isinstance(node, Match) and node.function == "substringof":
            raise ODataError(text="The operator 'not' can't be applied to 'substringof'.")
        return Not(node)

    def comparison(self) -> Node:
        if self.peek() == "(":
            self.take()
            node = self.either()
            self.expect(")")
        else:
            node = self.operand()
        if self.peek() not in _OPERATORS:
            return node
        operator = cast("Operator", self.take().text)
        return Compare(operator, _operand(node), self.operand())

    def operand(self) -> Operand:
        token = self.take()
        if token.constant is not None:
            return token.constant
        if token.kind == "mark":
            raise ODataError(text=f"Expression expected before '{token.text}'.")
        return self.call(token.text) if self.peek() == "(" else Name(token.text)

    def call(self, function: str) -> Operand:
        self.take()
        if function.startswith("cf."):
            return self.custom(function.removeprefix("cf."))
        if function not in _MATCHES:
            raise ODataError(text=f"An unknown function with name '{function}' was found.")
        first = self.operand()
        self.expect(",")
        second = self.operand()
        self.expect(")")
        return Match(function, second, first) if function == "substringof" else Match(function, first, second)

    def custom(self, kind: str) -> Custom:
        self.expect("f")
        self.expect("=")
        name = self.take().constant
        self.expect(")")
        if kind not in _CUSTOM_KINDS or name is None or name.kind is not Kind.STRING:
            raise ODataError(text=f"cf.{kind} is no custom field.")
        return Custom(_CUSTOM_KINDS[kind], str(name.value))


def _operand(node: Node) -> Operand:
    if isinstance(node, Compare | And | Or | Not):
        raise ODataError(text="A condition can't be compared.")
    return node
