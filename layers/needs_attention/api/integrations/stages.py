"""Keeping the list of Stages: each change answers the new list, or refuses."""

import hashlib
import re
import unicodedata
from typing import TypedDict

from needs_attention.api.problems import Problem, not_found
from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages


class StageView(TypedDict):
    """A Stage. Its id stays when it is renamed."""

    id: str
    name: str
    isBuiltIn: bool


class StageList(TypedDict):
    """All Stages."""

    stages: list[StageView]


MOST_STAGES = 50


def existing_stage(stages: Stages, name_or_id: str) -> Stage:
    """Raises a 404."""
    stage = stages.named(name_or_id)
    if stage is None:
        raise not_found("Stage")
    return stage


def with_stage(stages: Stages, name: str) -> Stages:
    """The list with a Stage of that name; unchanged if there is one. Raises a 409 if the list is full."""
    if stages.named(name) is not None:
        return stages
    if len(stages.stages) >= MOST_STAGES:
        raise Problem(409, f"There may be {MOST_STAGES} Stages at most.", code="tooManyStages")
    stage = Stage(id=_free_id(stages, name), name=name)
    return stages.model_copy(update={"stages": (*stages.stages, stage)})


def renamed(stages: Stages, stage: Stage, name: str) -> Stages:
    """Raises a 409 for a built-in Stage, and for a name that another one has."""
    _refuse_built_in(stage)
    other = stages.named(name)
    if other is not None and other.id != stage.id:
        raise Problem(409, f"There is a Stage {other.name} already.", code="nameTaken")
    new = stage.model_copy(update={"name": name})
    return stages.model_copy(update={"stages": tuple(new if one.id == stage.id else one for one in stages.stages)})


def without(stages: Stages, stage: Stage) -> Stages:
    """Raises a 409 for a built-in Stage."""
    _refuse_built_in(stage)
    return stages.model_copy(update={"stages": tuple(one for one in stages.stages if one.id != stage.id)})


def stage_view(stage: Stage) -> StageView:
    return {"id": stage.id, "name": stage.name, "isBuiltIn": _is_built_in(stage)}


def _is_built_in(stage: Stage) -> bool:
    return stage.id in {built_in.id for built_in in BUILT_IN_STAGES}


def _refuse_built_in(stage: Stage) -> None:
    if _is_built_in(stage):
        raise Problem(409, f"{stage.name} always exists, under this name.", code="builtIn")


def _free_id(stages: Stages, name: str) -> str:
    """Made of the name's Latin letters, so that people can tell ids apart; a renamed Stage keeps its id."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:30]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    wanted = slug or f"stage-{digest}"
    return wanted if stages.named(wanted) is None else f"{wanted}-{digest}"
