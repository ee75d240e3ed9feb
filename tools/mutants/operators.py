"""A mutant that cosmic-ray does not bring: something is not done."""

from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Example, Operator


class RemoveCall(Operator):  # type: ignore[misc]  # cosmic-ray has no types
    """A call on a line of its own becomes `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        is_statement = node.type in {"atom_expr", "power"} and node.parent.type == "simple_stmt"
        if is_statement and node.children[-1].type == "trailer" and node.children[-1].children[0].value == "(":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - there is one way
        return parso.parse(f"{node.get_first_leaf().prefix}pass")

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        return (Example("store.save(order)\n", "pass\n"),)
