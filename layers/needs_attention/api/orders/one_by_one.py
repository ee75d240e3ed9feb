"""The same done to several orders, each by itself, and how a refusal of one of them is answered."""

from collections.abc import Callable
from typing import TypedDict

from needs_attention.api.orders.views import OrderProblem
from needs_attention.api.problems import Problem, ProblemDetails, problem_of


class RefusedOrder(TypedDict):
    """One of several, refused."""

    orderId: str
    status: int
    problem: ProblemDetails | OrderProblem


class OneByOne:
    """Does the same to several orders, each by itself.

    Once AWS does not answer, the others are not tried: each would take seconds, and the caller waits.
    """

    def __init__(self) -> None:
        self._unavailable: Problem | None = None

    def result[Done](self, order_id: str, attempt: Callable[[], Done]) -> Done | RefusedOrder:
        """What the attempt comes to, or the problem that refused it. What nobody foresaw ends all."""
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
