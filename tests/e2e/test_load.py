"""Many orders through the whole system at once; `make load` does the same with ten thousand."""

from tools.local_stack.load import Load
from tools.local_stack.stack import Stack


def test_of_a_thousand_orders_each_is_judged_rightly_and_none_may_leave_before(stack: Stack) -> None:
    measured = Load(stack, 1000).run(print)
    assert measured.held > 100
    assert measured.samples > 100
