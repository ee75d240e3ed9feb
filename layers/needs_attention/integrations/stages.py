"""Stages: the list that an administrator keeps, and the two that are always in it."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from needs_attention.orders.settings import NEEDS_ATTENTION, NEW
from needs_attention.values.fields import Slug
from needs_attention.values.model import Value


def _with_single_spaces(name: str) -> str:
    return " ".join(name.split())


# One space between words, so that names that look the same are the same.
StageName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
    AfterValidator(_with_single_spaces),
]


class Stage(Value):
    """One Stage of the list. Orders store its id, so renaming it is one write."""

    id: Slug
    name: StageName


BUILT_IN_STAGES = (Stage(id=NEEDS_ATTENTION, name="Needs Attention"), Stage(id=NEW, name="New"))


class Stages(Value):
    """The Stages in the administrator's order."""

    stages: tuple[Stage, ...] = BUILT_IN_STAGES
    revision: int = 0

    def named(self, name_or_id: str) -> Stage | None:
        """The Stage with this name, in upper or lower case, or this id."""
        wanted = " ".join(name_or_id.split()).casefold()
        return next((stage for stage in self.stages if wanted in {stage.name.casefold(), stage.id}), None)

    def name_of(self, stage_id: str | None) -> str | None:
        """The name of a Stage; for an id that is no longer in the list, the id."""
        return next((stage.name for stage in self.stages if stage.id == stage_id), stage_id)
