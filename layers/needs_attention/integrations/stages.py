"""Stages."""

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


class Stages(Value):
    """The Stages that the administrator keeps, in their order."""

    stages: tuple[Stage, ...] = BUILT_IN_STAGES
    revision: int = 0

    def named(self, name_or_id: str) -> Stage | None:
        """The Stage of that name (in any case) or id."""
        wanted = " ".join(name_or_id.split()).casefold()
        return next((stage for stage in self.stages if wanted in {stage.name.casefold(), stage.id}), None)

    def name_of(self, stage_id: str | None) -> str | None:
        """What a Stage is called; an id that is no longer in the list stands for itself."""
        return next((stage.name for stage in self.stages if stage.id == stage_id), stage_id)
