"""`make demo`: the story, step by step, and a table of the outcome for each order."""

from collections.abc import Callable, Sequence

from tools.local_stack.expectations import Unexpected
from tools.local_stack.stack import Stack
from tools.local_stack.story import HEADINGS, STEPS, Story, sentence_of


def tell(stack: Stack, say: Callable[[str], None]) -> int:
    """Runs the story and answers the exit code: 0 if everything happened as it should."""
    story = Story(stack)
    for step in STEPS:
        say(sentence_of(step))
        try:
            step(story)
        except Unexpected as unexpected:
            say(f"The story does not hold: {unexpected}")
            return 1
    say(f"The story holds. The outcome:\n\n{_table([HEADINGS, *story.table()])}\n")
    return 0


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    ruled = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in ruled
    )
