"""The verdict in short: rows tried from the top."""

from tests.model.races.item import (
    Dispatched,
    Hold,
    Item,
    Settings,
    find_missing,
    find_missing_at_amazon,
    is_handed_over,
)
from tests.model.races.rules import Rules
from tests.model.values import Stage, Status, ThreePl


def judge(item: Item, settings: Settings, rules: Rules) -> Item:
    """The order with its verdict."""
    missing = find_missing(item)
    if item.is_redacted:
        judged = close_redacted(item) if rules.red_closes else item
    elif item.status is Status.CANCELLED:
        judged = _close(item)._replace(is_void=True)
    elif item.status is Status.SHIPPED and (item.hold or not item.is_judged or _closes_shipped(item, rules)):
        judged = _shipped(item, rules)
    elif is_handed_over(item) or item.is_void or _is_sent(item, rules):
        judged = item
    else:
        judged = _held_or_let_go(item, missing, settings, rules)
    return judged._replace(is_pending=False, is_judged=True, missing=missing)


def close_redacted(item: Item) -> Item:
    return _close(item)


def _close(item: Item) -> Item:
    return item._replace(hold=Hold.NONE, three_pl=item.three_pl if is_handed_over(item) else ThreePl.DO_NOT_TRANSFER)


def _closes_shipped(item: Item, rules: Rules) -> bool:
    return rules.shipped_row and not is_handed_over(item)


def _shipped(item: Item, rules: Rules) -> Item:
    return item._replace(
        hold=Hold.NONE,
        dispatched=item.dispatched or Dispatched.BY_AMAZON,
        three_pl=ThreePl.DO_NOT_TRANSFER if rules.shipped_row else item.three_pl,
    )


def _is_sent(item: Item, rules: Rules) -> bool:
    return bool(item.dispatched) and not (rules.recall and item.three_pl is not ThreePl.DO_NOT_TRANSFER)


def _held_or_let_go(item: Item, missing: int, settings: Settings, rules: Rules) -> Item:
    if not item.is_judged:
        return hold(item, rules) if missing else with_defaults(item, settings)
    if item.hold is Hold.MANUAL:
        return item
    if item.hold:
        heals = not find_missing_at_amazon(item) if rules.state_heal else item.by_download
        return with_defaults(item, settings) if heals and not missing else item
    return hold(item, rules) if missing & ~item.accepted else item


def hold(item: Item, rules: Rules) -> Item:
    return item._replace(
        stage=Stage.NEEDS_ATTENTION,
        three_pl=ThreePl.DO_NOT_TRANSFER,
        hold=Hold.MISSING,
        dispatched=Dispatched.NO if rules.recall else item.dispatched,
    )


def with_defaults(item: Item, settings: Settings) -> Item:
    return item._replace(
        stage=Stage.DEFAULT,
        three_pl=settings.default_three_pl,
        dispatched=Dispatched.BY_US if settings.auto_dispatch else item.dispatched,
        hold=Hold.NONE,
    )
