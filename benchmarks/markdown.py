"""Tables and paragraphs in Markdown."""

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 120
# Lists, tables and headings are left as they are.
NO_PARAGRAPH = ("- ", "|", "#")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruled = (headings, ["---"] * len(headings), *rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in ruled)


def wrapped(text: str) -> str:
    """The text, which blank lines divide into blocks, with the lines of each paragraph as long as they may be."""
    blocks = text.strip().split("\n\n")
    return "\n\n".join(
        block
        if block.startswith(NO_PARAGRAPH)
        else textwrap.fill(block, WIDTH, break_long_words=False, break_on_hyphens=False)
        for block in blocks
    )
