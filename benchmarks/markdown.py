"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruled = (headings, ["---"] * len(headings), *rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in ruled)
