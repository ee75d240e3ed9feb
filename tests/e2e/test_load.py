"""Many orders through the whole system at once; `make load` does the same with ten thousand."""

from tools.local_stack.load import Load
from tools.local_stack.stack import Stack


def test_a_thousand_orders_are_each_judged_rightly_before_any_may_leave(stack: Stack) -> None:
    measured = Load(stack, 1000).run(print)
    assert measured.held > 100
    assert measured.samples > 100
