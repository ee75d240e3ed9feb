"""The story that the system exists for, from the registration to the history: see `tools.local_stack.story`."""

from tests.e2e.conftest import running
from tools.amazon_stand_in.story import STORY
from tools.local_stack import demo
from tools.local_stack.deployment import PROJECT


def test_the_story_holds_on_a_stack_on_which_nothing_has_happened_yet() -> None:
    said: list[str] = []
    with running(PROJECT / ".build" / "story") as stack:
        assert demo.tell(stack, said.append) == 0, said[-1]
    assert [row.order_id for row in STORY if row.order_id not in said[-1]] == []
