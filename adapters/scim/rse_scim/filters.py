"""A filter of RFC 7644 (3.4.2.2) as SQL: the syntax tree of the library, walked into conditions.

Every condition is true or false, never NULL, so that ``not`` means what the standard says. Values are bound, never written
into the statement; a name that the schemas do not have is refused before this is reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from scim2_models import InvalidFilterException, Resource
from scim2_models.path import (
    AttributeBinding,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ScimFilter,
    ValuePath,
    coerce_value,
)
from sqlalchemy import ColumnElement, and_, false, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import BinaryExpression

from .documents import fold, storable
from .i18n import _

#: The longest filter, in characters: identity providers send a line.
MAX_FILTER = 4_000
Condition = ColumnElement[bool]
Op = CompareOperator


@dataclass(frozen=True, slots=True)
class Text:
    """A single text (or a boolean as ``true`` and ``false``) in the form in which it is compared."""

    column: ColumnElement[Any] | InstrumentedAttribute[Any]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A single time."""

    column: ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of values.

    :param some: whether there is an entry for which the condition holds; the condition is made from the entry's values by
        name. Without one: whether there is any entry.
    """

    some: Callable[[Callable[[Callable[[str], Text]], Condition] | None], Condition]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A list of texts that only depends on conditions (``schemas``): text → whether it is in the list."""

    texts: tuple[tuple[str, Condition], ...]


Attribute = Text | Moment | Entries | Fixed


class Columns:
    """Where the attributes of one kind of resource stand. ``postgres``: the dialect."""

    postgres: bool = False

    def find(self, binding: AttributeBinding) -> Attribute | None:
        """The attribute, None when it cannot be searched."""
        raise NotImplementedError

    def contained(self, binding: AttributeBinding, entry: dict[str, str]) -> Condition | None:
        """A quicker way to ask whether a list has an entry with these values, where there is an index for it."""
        return None

    def listed(self, binding: AttributeBinding) -> Callable[[Callable[[Text], Condition]], Condition] | None:
        """A quicker way to ask whether an attribute has a value for which a condition holds, where values stand apart."""
        return None


def condition_of(model: type[Resource[Any]], text: str, columns: Columns) -> Condition:
    """The condition of a filter for one kind of resource.

    :raises InvalidFilterException: for one that cannot be read, is too long, or asks for what is not searched.
    """
    check_length(text)
    parsed = ScimFilter[model](text)  # type: ignore[valid-type]
    return _ToSql(parsed, columns).visit(parsed.ast)


def check_length(text: str) -> None:
    """:raises InvalidFilterException: for a filter that is too long."""
    if len(text) > MAX_FILTER:
        raise InvalidFilterException(detail=_("A filter has at most %(count)s characters.", count=MAX_FILTER))


class _ToSql(FilterVisitor[Condition]):
    def __init__(self, parsed: ScimFilter[Any], columns: Columns) -> None:
        self.filter, self.columns = parsed, columns

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_not(self, node: Not) -> Condition:
        return ~self.visit(node.expr)

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = self.filter.resolve_comparison(node.attr_path, strict=False)
        if binding is None:
            return false()
        attribute = self._find(binding, str(node.attr_path))
        value = _value(binding, node)
        postgres = self.columns.postgres
        if isinstance(attribute, Fixed):
            return _fixed(attribute, node.op, value)
        listed = self.columns.listed(binding) if isinstance(value, str) and node.op != Op.ne else None
        if listed is not None:
            return listed(lambda text: _compared(text, node.op, value, postgres))
        if not isinstance(attribute, Entries):
            return _compared(attribute, node.op, value, postgres)
        sub = binding.sub_field_name or "value"
        if node.op == Op.eq and isinstance(value, str):
            quick = self.columns.contained(binding, {sub: _prepared(value, binding.case_exact)})
            if quick is not None:
                return quick
        if value is None:
            missing = attribute.some(lambda entry: entry(sub).column.is_(None))
            any_at_all = attribute.some(None)
            return or_(~any_at_all, missing) if node.op == Op.eq else and_(any_at_all, ~missing)
        if node.op == Op.ne:
            return ~attribute.some(lambda entry: _compared(entry(sub), Op.eq, value, postgres))
        return attribute.some(lambda entry: _compared(entry(sub), node.op, value, postgres))

    def visit_present(self, node: Present) -> Condition:
        binding = self.filter.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        attribute = self._find(binding, str(node.attr_path))
        if isinstance(attribute, Fixed):
            return or_(*(condition for _text, condition in attribute.texts))
        if not isinstance(attribute, Entries):
            return _present(attribute)
        sub = binding.sub_field_name
        return attribute.some(None if sub is None else lambda entry: _present(entry(sub)))

    def visit_value_path(self, node: ValuePath) -> Condition:
        binding = self.filter.resolve(node.attr_path, strict=False)
        if binding is None:
            return false()
        attribute = self._find(binding, str(node.attr_path))
        if not isinstance(attribute, Entries):
            raise _unsearched(str(node.attr_path))
        described = _described(node.val_filter, binding)
        quick = self.columns.contained(binding, described) if described else None
        if quick is not None:
            return quick
        return attribute.some(lambda entry: _InEntry(binding, entry, self.columns.postgres).visit(node.val_filter))

    def _find(self, binding: AttributeBinding, name: str) -> Attribute:
        found = self.columns.find(binding)
        if found is None:
            raise _unsearched(name)
        return found


class _InEntry(FilterVisitor[Condition]):
    """The filter between the brackets of ``emails[type eq "work"]``, on one entry."""

    def __init__(self, head: AttributeBinding, entry: Callable[[str], Text], postgres: bool) -> None:
        self.head, self.entry, self.postgres = head, entry, postgres

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_not(self, node: Not) -> Condition:
        return ~self.visit(node.expr)

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = _inner(self.head, node)
        if binding is None:
            return false()
        return _compared(self.entry(binding.field_name), node.op, _value(binding, node), self.postgres)

    def visit_present(self, node: Present) -> Condition:
        binding = _inner(self.head, node)
        return false() if binding is None else _present(self.entry(binding.field_name))


def _inner(head: AttributeBinding, node: Comparison | Present) -> AttributeBinding | None:
    inner = ScimFilter[head.field_type](str(Present(node.attr_path)))  # type: ignore[name-defined]
    return inner.resolve(node.attr_path, strict=False)


def _described(node: FilterNode, head: AttributeBinding) -> dict[str, str] | None:
    """The entry that a filter of ``eq`` joined by ``and`` describes; None for any other filter."""
    terms = node.terms if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_ else (node,)
    entry: dict[str, str] = {}
    for term in terms:
        if not isinstance(term, Comparison) or term.op != Op.eq:
            return None
        binding = _inner(head, term)
        if binding is None:
            return None
        value = _value(binding, term)
        if not isinstance(value, str | bool) or binding.field_name in entry:
            return None
        entry[binding.field_name] = _prepared(value, binding.case_exact)
    return entry


def _value(binding: AttributeBinding, node: Comparison) -> Any:
    value = coerce_value(binding, node.value, node.op)
    if isinstance(value, str) and not storable(value):
        raise InvalidFilterException(detail=_("The filter holds a character that no value has."))
    return value


def _prepared(value: Any, exact: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return fold(value.value if isinstance(value, Enum) else value, exact=exact)


def _compared(attribute: Text | Moment, op: Op, value: Any, postgres: bool) -> Condition:
    column = attribute.column
    if value is None:
        # Nothing is more or less than nothing, and nothing holds it.
        return {Op.eq: column.is_(None), Op.ne: column.is_not(None)}.get(op, false())
    if isinstance(attribute, Moment):
        if not isinstance(value, dt.datetime):
            return true() if op == Op.ne else false()
        value = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return _sure(_ordered(column, op, value))
    if not isinstance(value, str | bool):
        return true() if op == Op.ne else false()
    text = _prepared(value, attribute.exact)
    if op == Op.eq:
        # Not by coalesce, which no index sees through; this is never NULL either.
        return and_(column.is_not(None), column == text)
    if op == Op.ne:
        return column.is_distinct_from(text)
    if op == Op.co:
        return _sure((func.strpos(column, text) if postgres else func.instr(column, text)) > 0)
    if op == Op.sw:
        return _sure(func.substr(column, 1, len(text)) == text)
    if op == Op.ew:
        if not text:
            return column.is_not(None)
        return _sure((func.right(column, len(text)) if postgres else func.substr(column, -len(text))) == text)
    # By code points, as Python compares: a collation would say otherwise.
    return _sure(_ordered(column.collate("C") if postgres else column, op, text))


def _ordered(column: Any, op: Op, value: Any) -> ColumnElement[Any]:
    made: dict[Op, Callable[[], BinaryExpression[Any]]] = {
        Op.eq: lambda: column == value, Op.gt: lambda: column > value, Op.ge: lambda: column >= value,
        Op.lt: lambda: column < value, Op.le: lambda: column <= value, Op.ne: lambda: column.is_distinct_from(value),
    }  # fmt: skip
    return made[op]() if op in made else false()


def _sure(condition: ColumnElement[Any]) -> Condition:
    return func.coalesce(condition, false())


def _present(attribute: Text | Moment) -> Condition:
    if isinstance(attribute, Moment):
        return attribute.column.is_not(None)
    return func.coalesce(attribute.column, "") != ""


def _fixed(attribute: Fixed, op: Op, value: Any) -> Condition:
    """``schemas``: which texts can be in the list is known, whether they are is a condition."""
    if not isinstance(value, str):
        return false() if op == Op.eq else true()
    wanted = fold(value)
    tests: dict[Op, Callable[[str], bool]] = {
        Op.eq: lambda text: text == wanted, Op.ne: lambda text: text == wanted, Op.co: lambda text: wanted in text,
        Op.sw: lambda text: text.startswith(wanted), Op.ew: lambda text: text.endswith(wanted),
        Op.gt: lambda text: text > wanted, Op.ge: lambda text: text >= wanted, Op.lt: lambda text: text < wanted,
        Op.le: lambda text: text <= wanted,
    }  # fmt: skip
    hits = [condition for text, condition in attribute.texts if tests[op](fold(text))]
    found = or_(*hits) if hits else false()
    return ~found if op == Op.ne else found


def _unsearched(name: str) -> InvalidFilterException:
    return InvalidFilterException(detail=_("“%(name)s” cannot be searched here.", name=name[:80]))
