"""The list of Stages: how administrators change it, and how the API shows it."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple, TypedDict

from needs_attention.api.problems import ATTEMPTS, Problem, changed_meanwhile, not_found
from needs_attention.aws import ChangedMeanwhile
from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages
from needs_attention.tables.integrations import SettingsStore
from needs_attention.tables.orders import OrderStore, Page

MOST_STAGES = 50
# An index holds the orders of a Stage by integration: a search of so many takes about ten seconds.
MOST_INTEGRATIONS_SEARCHED = 1_000


class StageView(TypedDict):
    """A Stage. It keeps its ID when its name changes."""

    id: str
    name: str
    isBuiltIn: bool


class StageList(TypedDict):
    """All Stages, built-in ones too."""

    stages: list[StageView]


class AddedStage(NamedTuple):
    """The Stage that a request names, and whether it is new."""

    stage: StageView
    is_new: bool


class StageChanges:
    """Changes the list of Stages."""

    def __init__(self, orders: OrderStore, integrations: SettingsStore) -> None:
        self._orders = orders
        self._integrations = integrations

    def add(self, name: str) -> AddedStage:
        """Adds a Stage unless there is one of that name. Raises a 409 if the list is full."""
        is_new = self._integrations.stages().named(name) is None
        stages = self._changed(lambda stages: _with(stages, name))
        return AddedStage(_view(_existing(stages, name)), is_new)

    def rename(self, name_or_id: str, name: str) -> StageView:
        """Raises a 404, or a 409 for a built-in Stage and for a name that another Stage has."""
        stages = self._changed(lambda stages: _renamed(stages, _existing(stages, name_or_id), name))
        return _view(_existing(stages, name))

    def remove(self, name_or_id: str) -> None:
        """Raises a 404, or a 409 for a built-in Stage and for one that is in use.

        Also raises a 409 if there are too many integrations to know that.
        """

        def removed(stages: Stages) -> Stages:
            stage = _existing(stages, name_or_id)
            remaining = _without(stages, stage)
            self._refuse_in_use(stage)
            return remaining

        self._changed(removed)

    def _changed(self, update: Callable[[Stages], Stages]) -> Stages:
        """The list with the update, which is written if it changes anything."""
        for _ in range(ATTEMPTS):
            stages = self._integrations.stages()
            updated = update(stages)
            if updated == stages:
                return stages
            try:
                self._integrations.save_stages(updated)
            except ChangedMeanwhile:
                continue
            return updated
        raise changed_meanwhile()

    def _refuse_in_use(self, stage: Stage) -> None:
        every = self._integrations.page(MOST_INTEGRATIONS_SEARCHED + 1)
        if len(every.ids) > MOST_INTEGRATIONS_SEARCHED:
            message = (
                f"There are more than {MOST_INTEGRATIONS_SEARCHED} integrations to search for orders in this Stage."
            )
            raise Problem(409, f"{message} You can rename it.", code="tooManyIntegrations")
        for integration in every.readable:
            if stage.id in integration.settings.default_stages and integration.deleted_at is None:
                raise Problem(409, f"It is a default Stage of {integration.name}.", code="inUse")
        for integration_id in every.ids:
            found = self._orders.find_by_stage(integration_id, stage.id, Page(limit=1))
            if found.summaries or found.unreadable:
                raise Problem(409, f"Orders of {integration_id} are in this Stage.", code="inUse")


def _existing(stages: Stages, name_or_id: str) -> Stage:
    """The Stage of that name or ID. Raises a 404."""
    stage = stages.named(name_or_id)
    if stage is None:
        raise not_found("Stage")
    return stage


def _with(stages: Stages, name: str) -> Stages:
    """The list with a Stage of that name. Raises a 409 if the list is full."""
    if stages.named(name) is not None:
        return stages
    if len(stages.stages) >= MOST_STAGES:
        raise Problem(409, f"There can be at most {MOST_STAGES} Stages.", code="tooManyStages")
    stage = Stage(id=_free_id(stages, name), name=name)
    return stages.model_copy(update={"stages": (*stages.stages, stage)})


def _renamed(stages: Stages, stage: Stage, name: str) -> Stages:
    """Raises a 409 for a built-in Stage, and for a name that another Stage has."""
    _refuse_built_in(stage)
    other = stages.named(name)
    if other is not None and other.id != stage.id:
        raise Problem(409, f"There is already a Stage {other.name}.", code="nameTaken")
    new = stage.model_copy(update={"name": name})
    return stages.model_copy(update={"stages": tuple(new if one.id == stage.id else one for one in stages.stages)})


def _without(stages: Stages, stage: Stage) -> Stages:
    """Raises a 409 for a built-in Stage."""
    _refuse_built_in(stage)
    return stages.model_copy(update={"stages": tuple(one for one in stages.stages if one.id != stage.id)})


def stage_list(stages: Stages) -> StageList:
    return {"stages": [_view(stage) for stage in stages.stages]}


def _view(stage: Stage) -> StageView:
    return {"id": stage.id, "name": stage.name, "isBuiltIn": _is_built_in(stage)}


def _is_built_in(stage: Stage) -> bool:
    return stage.id in {built_in.id for built_in in BUILT_IN_STAGES}


def _refuse_built_in(stage: Stage) -> None:
    if _is_built_in(stage):
        raise Problem(409, f"{stage.name} is built in: you cannot rename or remove it.", code="builtIn")


def _free_id(stages: Stages, name: str) -> str:
    """An ID of the name's Latin letters, so that people can tell IDs apart."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:30]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    wanted = slug or f"stage-{digest}"
    return wanted if stages.named(wanted) is None else f"{wanted}-{digest}"
