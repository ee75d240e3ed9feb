"""How many stream records a second are judged, compared with the usual way (`benchmarks/usual/validator.py`)."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from unittest.mock import patch

from benchmarks.instructions import counted
from benchmarks.judging import RECORDS, STORED_INTEGRATION, Ours, PreparedWrites, Usual, batches
from benchmarks.judging import log_lines_thrown_away as without_log_lines
from benchmarks.loopback_dynamodb import ACCESS, Tables, loopback_dynamodb
from benchmarks.markdown import table
from benchmarks.report import Figure, Section, at_least, at_most, told_of
from benchmarks.rounds import Spread, interleaved, ratio

ROUNDS = 25
BATCHES_A_ROUND = 4
BATCHES_TO_COUNT = 3
MOST_INSTRUCTIONS = 1.7  # millions a record
FASTER = 1.4
OURS, USUAL, OURS_WRITTEN, USUAL_WRITTEN = "ours", "usual", "ours, written", "usual, written"
TABLES: Tables = {"orders": {}, "integrations": {"#system integration#demo": STORED_INTEGRATION}}


class Round:
    """Each round has orders of its own, so that nothing is quick because it was there before."""

    def __init__(self, handler: Ours | Usual) -> None:
        self._handler = handler
        self._seeds = count()

    def __call__(self) -> float:
        """Microseconds of processor time a record."""
        events = batches(BATCHES_A_ROUND, next(self._seeds), type(self._handler))
        with without_log_lines():
            began = time.process_time()
            for event in events:
                self._handler.judge(event)
            took = time.process_time() - began
        return took / BATCHES_A_ROUND / RECORDS * 1_000_000


def section() -> Section:
    """Takes about four minutes, half of them for valgrind."""
    print("Verdicts: processor time", flush=True)
    writes = {OURS: PreparedWrites(), USUAL: PreparedWrites()}
    with ExitStack() as stack:
        endpoint = stack.enter_context(loopback_dynamodb(TABLES))
        stack.enter_context(patch.dict(os.environ, ACCESS | {"AWS_ENDPOINT_URL_DYNAMODB": endpoint}))
        contenders: Mapping[str, Callable[[], float]] = {
            OURS: Round(Ours(writes[OURS])),
            USUAL: Round(Usual(writes[USUAL])),
            OURS_WRITTEN: Round(Ours(None)),
            USUAL_WRITTEN: Round(Usual(None)),
        }
        figures = interleaved(ROUNDS, contenders)
    print("Verdicts: instructions", flush=True)
    handlers: Mapping[str, type[Ours | Usual]] = {OURS: Ours, USUAL: Usual}
    instructions = counted(
        {whose: batches(BATCHES_TO_COUNT, ROUNDS, handler) for whose, handler in handlers.items()}, RECORDS
    )
    faster = ratio(figures[USUAL], figures[OURS])
    faster_written = ratio(figures[USUAL_WRITTEN], figures[OURS_WRITTEN])
    decisive = [
        at_least("verdicts a second, of the usual way's: alone", faster.median, FASTER),
        at_least("verdicts a second, of the usual way's: with their writes", faster_written.median, FASTER),
        _counted(instructions),
    ]
    orders = ROUNDS * BATCHES_A_ROUND * RECORDS
    return Section(
        decisive,
        f"""## Verdicts

A batch of {RECORDS} stream records, from the event's JSON until all writes are prepared, or until all have been
answered: processor time of the process, with botocore's work in the second case. DynamoDB is then a stub in another
process, which answers at once and is not counted. One record in three is a new order and the others are changes of
orders, because an order has about three versions. Ours is the function itself. The usual way is
`benchmarks/usual/validator.py`: Powertools' batch processor, a stream of new and old images, `.new_image`, full models
of Amazon's order, one log line a record. Each round brings orders that neither has seen. Of all {orders:,} orders ours
held {len(writes[OURS].held):,} and the usual way {len(writes[USUAL].held):,}.

{_table(figures, instructions)}

Records a second, of the usual way's: {faster.shown(2)} alone, {faster_written.shown(2)} with their writes.

{_told_of_instructions(instructions)}

Either way, a million verdicts cost cents of processor time; the writes cost more.
""",
    )


def _table(figures: Mapping[str, Sequence[float]], instructions: Mapping[str, float] | None) -> str:
    names = {
        OURS: "ours",
        USUAL: "the usual way",
        OURS_WRITTEN: "ours, with its writes",
        USUAL_WRITTEN: "the usual way, with its writes",
    }
    rows = []
    for whose, name in names.items():
        spread = Spread.of(figures[whose])
        millions = f"{instructions[whose] / 1e6:.2f}" if instructions and whose in instructions else ""
        rows.append((name, spread.shown(), f"{1_000_000 / spread.median:,.0f}", millions))
    return table(("", "microseconds a record", "records a second", "million instructions a record"), rows)


def _counted(instructions: Mapping[str, float] | None) -> Figure:
    what = "instructions of a verdict"
    if instructions is None:
        return Figure(what, "not counted: no valgrind here", f"at most {MOST_INSTRUCTIONS} million")
    return at_most(what, instructions[OURS] / 1e6, MOST_INSTRUCTIONS, " million")


def _told_of_instructions(instructions: Mapping[str, float] | None) -> str:
    if instructions is None:
        return (
            "Instructions were not counted, because valgrind is not installed here. The ratios above are in time, and\n"
            "other work on the machine changes them."
        )
    return f"""Valgrind's callgrind counts instructions, which other work on the machine does not change: the difference between three
batches and one, until all writes are prepared. {told_of(_counted(instructions))} Ours takes {instructions[OURS] / instructions[USUAL]:.2f} of the usual way's."""


if __name__ == "__main__":
    print(section().text)
