"""The meaning of a change of an order, in the words of the event bus."""

from needs_attention.orders.order import Order
from needs_attention.orders.settings import ThreePlStatus


def happened(before: Order | None, after: Order, *, by_a_person: bool) -> tuple[str, ...]:
    """What a change meant, in the words of the event bus: written with the change, so that telling it needs no more."""
    was_held, is_held = before is not None and before.hold is not None, after.hold is not None
    was_ready = before is not None and before.is_transferable and before.is_live
    told = before.alerts if before and not _changed_once_more(before, after) else ()
    events = {
        "OrderHeld": is_held and not was_held,
        "OrderReleased" if by_a_person else "OrderHealed": was_held and not is_held and after.has_a_future,
        "OrderReadyFor3pl": after.is_transferable and after.is_live and not was_ready,
        "OrderTransferred": after.is_handed_over and not (before is not None and before.is_handed_over),
        "OrderPicked": _has_become(ThreePlStatus.PICKED, before, after),
        "OrderTransferFailed": _has_become(ThreePlStatus.WITH_ERRORS, before, after),
        "OrderDispatched": bool(after.fully_dispatched_at) and not (before is not None and before.fully_dispatched_at),
        "OrderCancelled": bool(after.voided_at) and not (before is not None and before.voided_at),
        "OrderRedacted": bool(after.redacted_at) and not (before is not None and before.redacted_at),
    }
    return (*(name for name, is_true in events.items() if is_true), *(a for a in after.alerts if a not in told))


def _has_become(status: ThreePlStatus, before: Order | None, after: Order) -> bool:
    return after.three_pl_status is status and not (before is not None and before.three_pl_status is status)


def _changed_once_more(before: Order, after: Order) -> bool:
    """Whether Amazon changed once more what the warehouse has: that is told each time."""
    known, now = before.handed_over_digest, after.handed_over_digest
    return known is not None and now is not None and known != now
