"""The differences of mutants: the slips that somebody could make, one at a time."""

import re
from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators import boolean_replacer
from cosmic_ray.operators.boolean_replacer import AddNot
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import IfStmt, Name, Number
from parso.tree import search_ancestor

# cosmic-ray's other operators mostly break the syntax or mix types up (`*` stands in signatures, `|` in annotations),
# which any test notices.
_OF_COSMIC_RAY = re.compile(
    r"""ReplaceUnaryOperator_Delete_\w+ | ReplaceAndWithOr | ReplaceOrWithAnd
    | ReplaceFalseWithTrue
    | ReplaceBinaryOperator_(Add_Sub|Sub_Add|Div_Mul)
    | ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is)
    | ReplaceComparisonOperator_(Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt)
    | ReplaceBreakWithContinue | ReplaceContinueWithBreak | ZeroIterationForLoop | RemoveDecorator""",
    re.VERBOSE,
)


class RemoveCall(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """A call on a line of its own becomes `pass`: something is not done. What is only logged is no behaviour."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        is_statement = node.type in {"atom_expr", "power"} and node.parent.type == "simple_stmt"
        is_call = is_statement and node.children[-1].type == "trailer" and node.children[-1].children[0].value == "("
        if is_call and node.get_first_leaf().value != "logger":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - there is one way
        return parso.parse(f"{node.get_first_leaf().prefix}pass")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("store.save(order)\n", "pass\n"),)


class ReplaceTrueWithFalse(boolean_replacer.ReplaceTrueWithFalse):  # type: ignore[misc]  # cosmic-ray has no types
    """Not in the making of a logger: a child's lines are its parent's."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        statement = search_ancestor(node, "simple_stmt")
        if statement is None or statement.get_first_leaf().value != "logger":
            yield from super().mutation_positions(node)


class NegateCondition(AddNot):  # type: ignore[misc]  # cosmic-ray has no types
    """A whole condition is negated, also one that names its value; cosmic-ray's own negates the first part of it."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        # Only the type checker sees what depends on TYPE_CHECKING.
        is_for_types = isinstance(node, IfStmt) and node.children[1].get_code(include_prefix=False) == "TYPE_CHECKING"
        if not is_for_types:
            yield from super().mutation_positions(node)

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - there is one way
        place = 2 if node.type == "test" else 1
        node.children[place] = parso.parse(f" not ({node.children[place].get_code(include_prefix=False)})")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example("if a or b: pass\n", "if not (a or b): pass\n"),
            Example("if a := f(): pass\n", "if not (a := f()): pass\n"),
            Example("x = a if b else c\n", "x = a if not (b) else c\n"),
        )


class ReplaceException(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """An exception that is caught becomes one that Python never raises: cosmic-ray's own knows no dotted names."""

    NEVER_RAISED = "FloatingPointError"

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        if node.type == "except_clause":
            yield from ((one.start_pos, one.end_pos) for one in _caught(node))

    def mutate(self, node: Any, index: int) -> Any:
        one = _caught(node)[index]
        siblings = one.parent.children
        first = one.get_first_leaf()
        siblings[siblings.index(one)] = Name(self.NEVER_RAISED, first.start_pos, first.prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example("try: f()\nexcept A.b: pass\n", "try: f()\nexcept FloatingPointError: pass\n"),
            Example(
                "try: f()\nexcept (A, b.C) as e: pass\n", "try: f()\nexcept (A, FloatingPointError) as e: pass\n", 1
            ),
        )


class ReplaceNumber(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """A small number is off by one. A large one has a digit too many or too few, as if it were in another unit.

    Large numbers are bounds of sizes, times and lengths: where one is off by one, nobody can tell.
    """

    LARGEST_SMALL = 12

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        if node.type == "number" and _number(node) is not None:
            yield from ((node.start_pos, node.end_pos) for _ in range(2))

    def mutate(self, node: Any, index: int) -> Any:
        was = _number(node)
        assert was is not None
        is_small = was <= self.LARGEST_SMALL
        others = (was + 1, was - 1) if is_small else (was * 10, was // 10)
        return Number(f"{others[index]}", node.start_pos, node.prefix)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (
            Example("x = 1\n", "x = 2\n"),
            Example("x = 1\n", "x = 0\n", 1),
            Example("x = 1_000\n", "x = 10000\n"),
            Example("x = 24\n", "x = 2\n", 1),
        )


def _number(node: Any) -> int | float | None:
    """The value of a decimal literal."""
    text = node.value.replace("_", "")
    return (int(text) if text.isdigit() else float(text)) if _DECIMAL.fullmatch(text) else None


_DECIMAL = re.compile(r"\d+(\.\d*)?")


def _caught(clause: Any) -> list[Any]:
    """The exceptions that an `except` names."""
    caught = clause.children[1]
    if caught.type == "atom":
        caught = caught.children[1]
    return list(caught.children[::2]) if caught.type == "testlist_comp" else [caught]


OPERATORS: dict[str, Any] = {
    "NegateCondition": NegateCondition,
    "RemoveCall": RemoveCall,
    "ReplaceException": ReplaceException,
    "ReplaceNumber": ReplaceNumber,
    **{name: OperatorProvider()[name] for name in OperatorProvider() if _OF_COSMIC_RAY.fullmatch(name)},
    "ReplaceTrueWithFalse": ReplaceTrueWithFalse,
}
