"""Several orders in one call, each by itself, and the answer if one of them is refused."""

from collections.abc import Callable
from typing import TypedDict

from needs_attention.api.orders.views import GateProblem, OrderProblem
from needs_attention.api.problems import Problem, ProblemDetails, problem_of


class RefusedOrder(TypedDict):
    """One of several orders, refused."""

    orderId: str
    status: int
    problem: ProblemDetails | OrderProblem | GateProblem


class OneByOne:
    """Does the same to several orders, each by itself.

    Once AWS does not answer, it tries no further order: each would take seconds, and the caller waits.
    """

    def __init__(self) -> None:
        self._unavailable: Problem | None = None

    def result[Done](self, order_id: str, attempt: Callable[[], Done]) -> Done | RefusedOrder:
        """The result of the attempt, or its refusal. Raises an unforeseen error, which ends the whole call."""
        if self._unavailable:
            return refused(order_id, self._unavailable)
        try:
            return attempt()
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            self._unavailable = problem if problem.is_unavailable else None
            return refused(order_id, problem)


def refused(order_id: str, problem: Problem) -> RefusedOrder:
    return {"orderId": order_id, "status": problem.status, "problem": problem.as_json()}
