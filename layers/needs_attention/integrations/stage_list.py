"""Stages."""

from needs_attention.integrations.stages import BUILT_IN_STAGES
from needs_attention.integrations.stages import Stage
from needs_attention.values.model import Value


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

