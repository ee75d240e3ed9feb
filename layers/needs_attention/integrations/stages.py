"""Stages: where people work with orders."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from needs_attention.orders.settings import NEEDS_ATTENTION, NEW
from needs_attention.values.fields import Slug
from needs_attention.values.model import Value


def _with_single_blanks(name: str) -> str:
    return " ".join(name.split())


# One blank between words, so that what looks the same is the same.
StageName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
    AfterValidator(_with_single_blanks),
]


class Stage(Value):
    """One entry of the list that the administrator keeps. Orders store the id, so a rename is one write."""

    id: Slug
    name: StageName


BUILT_IN_STAGES = (Stage(id=NEEDS_ATTENTION, name="Needs Attention"), Stage(id=NEW, name="New"))
