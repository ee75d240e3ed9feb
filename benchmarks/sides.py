"""What each side of the comparisons does and does not do, over all sections."""

from benchmarks.markdown import table

# What is done, by ours, and by the usual way.
ROWS = (
    ("keeps only the fields of an order that it uses", "yes", "no: the whole order"),
    ("reads an order before it writes it, and leaves an unchanged one alone", "yes", "no: writes it again"),
    (
        "never overwrites a newer answer, a person's edit or a verdict",
        "yes: each write has a condition",
        "`update_item`: may overwrite a newer answer; `batch_writer`: any of them; its verdicts have a condition, but not in *Cost*",
    ),
    ("writes 25 orders a call", "no", "`batch_writer` does"),
    ("judges each order that it downloads, to count the held ones", "yes", "no"),
    ("checks an address for the parts that its country needs", "yes", "no: the same parts everywhere"),
    ("tells people's names from companies'", "yes", "no: splits at spaces"),
    ("keeps data of its own for lists", "yes: `summary`", "no: each index holds the whole order"),
    ("keeps history, and tells events", "yes", "only in *Cost*, as much as ours"),
    ("counts metrics", "yes", "in the API's handler, not in validation and downloads"),
    ("logs a line for each record", "no: one a batch, and each that fails", "yes"),
    ("asks for held orders again by ID", "yes", "no"),
    ("redacts personal data", "yes", "yes, in *Cost*"),
    ("Amazon's API", "Orders API 2026-01-01", "v0 in *Cost* and `make compare`, else the same as ours"),
    ("answers a GET with Stages, what is missing, why, and the next step", "yes", "no: the stored order"),
    ("remembers answers by an idempotency key", "POST yes, PATCH need not", "PATCH yes"),
    ("validates requests with models, and has an OpenAPI document", "yes", "yes"),
    ("traces with X-Ray", "no", "yes, a request in many"),
    ("ships bytecode", "yes", "no; an expert's does, in *Cold start*"),
)


def section() -> str:
    return f"""## What each side does

{table(("", "ours", "the usual way"), ROWS)}
"""
