"""What a filter means for a record: three-valued, as in the database that answers it."""

import operator as operators
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, assert_never

from attrs import frozen

from acumatica_b2b.model import UNSET
from acumatica_b2b.simulators.acumatica.index import Box, both
from acumatica_b2b.simulators.acumatica.odata import (
    And,
    Compare,
    Constant,
    Custom,
    Match,
    Name,
    Node,
    Not,
    ODataError,
    Operand,
    Operator,
    Or,
)
from acumatica_b2b.simulators.acumatica.schema import CUSTOM_KINDS, Contract, Kind
from acumatica_b2b.simulators.acumatica.settings import AcumaticaSettings
from acumatica_b2b.simulators.acumatica.state import State
from acumatica_b2b.simulators.acumatica.tables import Record, Table

Getter: TypeAlias = Callable[[Record], Any]
Predicate: TypeAlias = Callable[[Record], bool | None]

_NUMBERS: Final = frozenset({Kind.INT, Kind.DECIMAL})
COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operators.eq,
    "ne": operators.ne,
    "gt": operators.gt,
    "ge": operators.ge,
    "lt": operators.lt,
    "le": operators.le,
}


@frozen(kw_only=True)
class Scope:
    """Which fields a filter may name."""

    state: State
    settings: AcumaticaSettings
    entity: str
    contract: Contract

    def compiled(self, node: Node) -> Predicate:
        """Return the predicate of a filter; its None is the database's "unknown".

        Raises:
            ODataError: an unknown field, or types that do not fit.

        """
        match node:
            case And(left, right):
                return _both(self.compiled(left), self.compiled(right))
            case Or(left, right):
                return _either(self.compiled(left), self.compiled(right))
            case Not(inner):
                return _opposite(self.compiled(inner))
            case Compare(operator, left, right):
                return self._comparison(operator, left, right)
            case Constant() | Name() | Custom() | Match():
                kind, getter = self._operand(node)
                if kind is not Kind.BOOLEAN:
                    raise ODataError(text="The $filter expression must evaluate to a single boolean value.")
                return getter
            case _:
                assert_never(node)

    def _comparison(self, operator: Operator, left: Operand, right: Operand) -> Predicate:
        (kind, get), (other, get_other) = self._operand(left), self._operand(right)
        if any(isinstance(side, Match) and side.function == "substringof" for side in (left, right)):
            return lambda _record: False  # a live instance answers nothing, without an error
        if None in {kind, other}:
            return _null_comparison(operator, get, get_other)
        if kind is not other and not {kind, other} <= _NUMBERS:
            raise _incompatible(kind, other, operator)
        if kind is Kind.BOOLEAN and operator not in {"eq", "ne"}:
            raise _incompatible(kind, other, operator)
        if kind is Kind.STRING:
            get, get_other = self._collated(left, get), self._collated(right, get_other)
        fits = COMPARISONS[operator]

        def compare(record: Record) -> bool | None:
            one, two = get(record), get_other(record)
            return None if one is None or two is None else fits(one, two)

        return compare

    def _operand(self, node: Operand) -> tuple[Kind | None, Getter]:
        match node:
            case Constant(kind, value):
                return kind, lambda _record: value
            case Name(path):
                return self._field(path)
            case Custom(kind, name):
                return kind, self._custom(kind, name)
            case Match():
                return Kind.BOOLEAN, self._match(node)
            case _:
                assert_never(node)

    def _field(self, path: str) -> tuple[Kind, Getter]:
        found = self.contract.find(self.entity, path)
        if found is None or found.kind is None:
            raise ODataError(text=f"Could not find a property named '{path}' on type '{self.entity}'.")
        if self.contract.crosses_detail(self.entity, path):
            raise ODataError(text=f"'{path}' leads through a detail entity, on which a filter is not predictable.")
        return found.kind, _custom_value(found.custom) if found.custom else self.state.reader(self.entity, path)

    def _custom(self, kind: Kind, name: str) -> Getter:
        declared = self.settings.custom_field(self.entity, name)
        if declared is None:
            raise ODataError(text=f"The field '{name}' cannot be found in the '{self.entity}' entity.")
        if CUSTOM_KINDS[declared.kind] is not kind:
            raise _incompatible(CUSTOM_KINDS[declared.kind], kind, "eq")
        return _custom_value(name)

    def _match(self, node: Match) -> Predicate:
        (kind, text), (other, part) = self._operand(node.text), self._operand(node.part)
        if kind is not Kind.STRING or other is not Kind.STRING:
            raise ODataError(
                text=f"No function signature for the function with name '{node.function}' matches the arguments."
            )
        holds, fold = _MATCHES[node.function], self.state.collation.fold

        def matches(record: Record) -> bool | None:
            one, two = text(record), part(record)
            return None if one is None or two is None else holds(fold(one), fold(two))

        return matches

    def _collated(self, operand: Operand, get: Getter) -> Getter:
        collate = self.state.collate
        if isinstance(operand, Constant):
            constant = collate(str(operand.value))
            return lambda _record: constant

        def collated(record: Record) -> str | None:
            text = get(record)
            return None if text is None else collate(text)

        return collated


def _custom_value(name: str) -> Getter:
    return lambda record: None if (value := record.custom.get(name)) is UNSET else value


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "substringof": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}


def candidates(node: Node, table: Table) -> tuple[Box, ...] | None:
    """Return where all matches are, by the indexes; None: anywhere."""
    match node:
        case Compare(operator, Name(path), Constant(_, value)):
            box = table.box(path, operator, value)
            return None if box is None else (box,)
        case And(left, right):
            return both(candidates(left, table), candidates(right, table))
        case Or(left, right):
            one, two = candidates(left, table), candidates(right, table)
            return None if one is None or two is None else one + two
        case _:
            return None


def _both(left: Predicate, right: Predicate) -> Predicate:
    def both(record: Record) -> bool | None:
        one = left(record)
        if one is False:
            return False
        two = right(record)
        return two if one else two and None

    return both


def _either(left: Predicate, right: Predicate) -> Predicate:
    def either(record: Record) -> bool | None:
        one = left(record)
        if one:
            return True
        two = right(record)
        return two if one is False else two or None

    return either


def _opposite(inner: Predicate) -> Predicate:
    def opposite(record: Record) -> bool | None:
        value = inner(record)
        return None if value is None else not value

    return opposite


def _null_comparison(operator: Operator, get: Getter, get_other: Getter) -> Predicate:
    if operator not in {"eq", "ne"}:
        return lambda _record: None
    wanted = operator == "eq"
    return lambda record: ((get(record) is None) == (get_other(record) is None)) is wanted


def _incompatible(left: Kind | None, right: Kind | None, operator: str) -> ODataError:
    kinds = [f"'{kind.value}'" for kind in (left, right) if kind is not None]
    return ODataError(
        text="A binary operator with incompatible types was detected. "
        f"Found operand types {' and '.join(kinds)} for operator '{operator}'."
    )
