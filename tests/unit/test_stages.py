"""Stages: their ids and names."""

import pytest
from pydantic import ValidationError

from needs_attention.integrations.stages import BUILT_IN_STAGES, Stage, Stages
from needs_attention.orders.settings import NEEDS_ATTENTION, NEW


def test_two_stages_are_always_there() -> None:
    assert [(stage.id, stage.name) for stage in BUILT_IN_STAGES] == [(NEEDS_ATTENTION, "Needs Attention"), (NEW, "New")]


@pytest.mark.parametrize("stage_id", ["on-hold", "a", "3rd-floor", "x" * 40])
def test_a_stage_has_an_id_that_fits_into_an_address(stage_id: str) -> None:
    assert Stage(id=stage_id, name="  Stage  ").name == "Stage"


@pytest.mark.parametrize("stage_id", ["", "On Hold", "-a", "x" * 41, "a\n", "straße"])
def test_any_other_id_of_a_stage_is_refused(stage_id: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        Stage(id=stage_id, name="Stage")


@pytest.mark.parametrize("name", ["On Hold", "On  Hold", " On \t\n Hold ", "On\u00a0Hold"])
def test_a_stages_name_has_one_blank_between_words(name: str) -> None:
    assert Stage(id="on-hold", name=name).name == "On Hold"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_stage_needs_a_name_of_at_most_60_characters(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Stage(id="stage", name=name)


def test_a_stage_is_found_by_its_id_or_its_name_in_any_case() -> None:
    stages = Stages(stages=(*BUILT_IN_STAGES, Stage(id="on-hold", name="Waiting for Ada")))

    assert [stages.named(name) for name in ["on-hold", " waiting  FOR ada "]] == [stages.stages[2]] * 2
    assert stages.named("nowhere") is None


def test_a_stage_that_was_removed_is_called_by_its_id() -> None:
    assert Stages().name_of("needs-attention") == "Needs Attention"
    assert Stages().name_of("packing") == "packing"
    assert Stages().name_of(None) is None
