"""The story that the system exists for, from the registration to the history: see `tools.local_stack.story`."""

from collections.abc import Callable

import pytest

from tools.local_stack.stack import Stack
from tools.local_stack.story import STEPS, Story, sentence_of


class Telling:
    """Tells the steps one after another; the first that does not hold ends it."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._broken_at = ""

    def tell(self, step: Callable[[Story], None]) -> None:
        if self._broken_at:
            pytest.fail(f"the story broke off: {self._broken_at}")
        self._broken_at = sentence_of(step)
        step(self._story)
        self._broken_at = ""


@pytest.fixture(scope="module")
def telling(stack: Stack) -> Telling:
    return Telling(Story(stack))


@pytest.mark.parametrize("step", STEPS, ids=sentence_of)
def test_the_story_holds(telling: Telling, step: Callable[[Story], None]) -> None:
    telling.tell(step)
