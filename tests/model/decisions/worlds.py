"""The worlds that the model searches: stories, each with its versions of Amazon's, its settings and its acts."""

from tests.model.decisions.download import Answer
from tests.model.decisions.item import Line, Settings
from tests.model.decisions.people import Act
from tests.model.decisions.steps import Budgets, World
from tests.model.values import Status, ThreePl

ASKED = Answer(1, cancel_requests=1)
ASKED_AGAIN = Answer(1, cancel_requests=2)
BLANK_X = Answer(0)
X_1 = Answer(1)
X_2 = Answer(2)
X_3 = Answer(3)
X_1_WITHOUT_LINES = Answer(1, lines=False)
NOTHING_THERE = Answer(0, lines=False)
X_2_WITHOUT_LINES = Answer(2, lines=False)
PENDING = Answer(1, status=Status.PENDING)
PENDING_BLANK_X = Answer(0, status=Status.PENDING)
UNKNOWN = Answer(1, status=Status.UNKNOWN)
SHIPPED = Answer(1, status=Status.SHIPPED)
SHIPPED_BLANK_X = Answer(0, status=Status.SHIPPED)
CANCELLED = Answer(1, status=Status.CANCELLED)
FBA = Answer(1, is_fba=True)

COMPLETION = Settings(ThreePl.UPON_COMPLETION, auto_dispatch=False)
COMPLETION_AUTO = Settings(ThreePl.UPON_COMPLETION, auto_dispatch=True)
NOW = Settings(ThreePl.NOW, auto_dispatch=False)
NOW_UNCHECKED = Settings(ThreePl.NOW, auto_dispatch=True, checks_x=False)
OWN_WAREHOUSE = Settings(ThreePl.DO_NOT_TRANSFER, auto_dispatch=True)
BY_HAND = Settings(ThreePl.DO_NOT_TRANSFER, auto_dispatch=False)

TYPED_AGAINST_LATE = World(
    ledgers=(
        (BLANK_X, X_1),
        (BLANK_X, X_2),
        (BLANK_X, X_2, X_1),
        (BLANK_X, X_1, X_2),
        (X_1, X_2),
        (X_1, X_1_WITHOUT_LINES, X_1),
        (NOTHING_THERE, X_2_WITHOUT_LINES, X_2),
        (X_2, X_1, X_2),
    ),
    settings=(NOW, COMPLETION_AUTO),
    acts=(
        Act.TYPE_X_1,
        Act.CLEAR_X,
        Act.TYPE_Y,
        Act.KEEP_TYPED,
        Act.RELEASE,
        Act.STAGE,
        Act.OVERRIDE,
        Act.DO_NOT_TRANSFER,
        Act.HOLD,
        Act.NOW,
        Act.NOT_SENT,
        Act.CLEAR_THREE_PL,
    ),
)
STATUS_AND_SNOOZE = World(
    ledgers=(
        (X_1, PENDING, X_1),
        (BLANK_X, PENDING_BLANK_X, BLANK_X),
        (BLANK_X, PENDING_BLANK_X, X_2),
        (PENDING, X_1),
        (UNKNOWN, X_1),
        (UNKNOWN, X_1, UNKNOWN),
        (X_1, UNKNOWN, X_1),
        (X_1, SHIPPED, X_1),
        (SHIPPED, X_1),
        (FBA, X_1),
        (X_1, FBA, X_1),
        (X_1, CANCELLED, X_1),
        (BLANK_X, SHIPPED_BLANK_X, PENDING_BLANK_X),
    ),
    settings=(COMPLETION_AUTO, NOW, OWN_WAREHOUSE),
    acts=(
        Act.TYPE_X_1,
        Act.CONFIRM,
        Act.DO_NOT_TRANSFER,
        Act.HOLD,
        Act.SNOOZE,
        Act.NOT_SENT,
        Act.RELEASE,
        Act.STAGE,
        Act.CLEAR_STAGE,
    ),
)
WAREHOUSE = World(
    ledgers=(
        (X_1, ASKED, ASKED_AGAIN),
        (X_1, SHIPPED, X_1),
        (X_1, CANCELLED),
        (X_1, X_1_WITHOUT_LINES, X_1),
        (BLANK_X, X_1, X_2),
    ),
    settings=(COMPLETION_AUTO, NOW, OWN_WAREHOUSE),
    acts=(
        Act.DO_NOT_TRANSFER,
        Act.NOW,
        Act.UPON_COMPLETION,
        Act.SENT,
        Act.NOT_SENT,
        Act.CONFIRM,
        Act.RELEASE,
        Act.CLEAR_THREE_PL,
        Act.CLEAR_DISPATCH,
        Act.TYPE_X_1,
    ),
)
FAULTS = World(
    ledgers=((BLANK_X, X_1), (X_1, X_1_WITHOUT_LINES), (X_1, CANCELLED), (X_1, SHIPPED)),
    settings=(NOW, COMPLETION_AUTO),
    acts=(Act.TYPE_X_1, Act.DO_NOT_TRANSFER, Act.HOLD, Act.RELEASE, Act.NOW, Act.OVERRIDE),
)
CHANGED_SETTINGS = World(
    ledgers=((X_1,), (BLANK_X, X_1), (X_1, X_1_WITHOUT_LINES, X_1)),
    settings=(NOW, COMPLETION_AUTO, NOW_UNCHECKED, BY_HAND),
    acts=(
        Act.DO_NOT_TRANSFER,
        Act.NOW,
        Act.NOT_SENT,
        Act.STAGE,
        Act.HOLD,
        Act.RELEASE,
        Act.TYPE_X_1,
        Act.CLEAR_THREE_PL,
    ),
)

ALERTS = World(
    ledgers=(
        (X_1, X_2, X_1),
        (X_1, ASKED, ASKED_AGAIN),
        (X_1, CANCELLED, X_1),
        (X_1, SHIPPED, X_1),
        (BLANK_X, X_2, X_3),
        (X_1, X_1_WITHOUT_LINES, X_1),
    ),
    settings=(NOW, OWN_WAREHOUSE),
    acts=(
        Act.CLOSE_ALERTS,
        Act.TYPE_X_1,
        Act.RELEASE,
        Act.CONFIRM,
        Act.SENT,
        Act.NOT_SENT,
        Act.HOLD,
        Act.CLEAR_STAGE,
    ),
)
ALL_LEFT = Answer(0, line=Line(2))
ONE_LEFT = Answer(0, line=Line(1))
LINE_CANCELLED = Answer(0, line=Line(is_cancelled=True))
PARTLY_SHIPPED = Answer(0, status=Status.PARTLY_SHIPPED, line=Line(1))
PARTLY_SHIPPED_BY_ANOTHER = Answer(0, status=Status.PARTLY_SHIPPED)
NONE_LEFT = Answer(0, status=Status.PARTLY_SHIPPED, line=Line(0))
ALL_SHIPPED = Answer(0, status=Status.SHIPPED, line=Line(0))
LINES = World(
    ledgers=(
        (ALL_LEFT, PARTLY_SHIPPED, ALL_SHIPPED),
        (BLANK_X, PARTLY_SHIPPED_BY_ANOTHER, PARTLY_SHIPPED),
        (BLANK_X, ONE_LEFT, NONE_LEFT),
        (ALL_LEFT, LINE_CANCELLED, ALL_LEFT),
    ),
    settings=(NOW._replace(checks_x=False), OWN_WAREHOUSE._replace(checks_x=False)),
    acts=(
        Act.TYPE_LINE,
        Act.TYPE_NAMELESS_LINE,
        Act.CLEAR_LINES,
        Act.KEEP_TYPED,
        Act.RELEASE,
        Act.OVERRIDE,
        Act.NOW,
        Act.SENT,
        Act.DO_NOT_TRANSFER,
    ),
)

TAKEN_OVER = World(
    ledgers=(
        (X_1, SHIPPED, X_1),
        (X_1, FBA, X_1),
        (X_1, PENDING, X_1),
        (X_1, X_2),
        (X_1, X_1_WITHOUT_LINES, X_1),
        (BLANK_X, X_1),
        (BLANK_X, X_2),
        (PENDING, X_1),
        (FBA, X_1),
        (SHIPPED, X_1),
    ),
    settings=(COMPLETION_AUTO, NOW, OWN_WAREHOUSE),
    acts=(Act.CONFIRM, Act.RELEASE, Act.NOW, Act.DO_NOT_TRANSFER, Act.STAGE, Act.NOT_SENT),
    is_taken_over=True,
)

WORLDS = {
    "typed against late": TYPED_AGAINST_LATE,
    "status and snooze": STATUS_AND_SNOOZE,
    "warehouse": WAREHOUSE,
    "faults": FAULTS,
    "settings": CHANGED_SETTINGS,
    "alerts": ALERTS,
    "lines": LINES,
    "taken over": TAKEN_OVER,
}

QUICK = {
    "typed against late": Budgets(downloads=3, acts=2),
    "status and snooze": Budgets(downloads=3, acts=2),
    "warehouse": Budgets(downloads=3, acts=2, warehouse=3),
    "faults": Budgets(downloads=3, acts=2, lost_records=1, redactions=1),
    "settings": Budgets(downloads=3, acts=2, settings_changes=2),
    "alerts": Budgets(downloads=3, acts=3, warehouse=2),
    "lines": Budgets(downloads=3, acts=2, warehouse=2),
    "taken over": Budgets(downloads=2, acts=1),
}
BUDGETS = {
    # Two changes of settings with two acts take as long as all other worlds together.
    "tests": QUICK
    | {
        "warehouse": QUICK["warehouse"]._replace(warehouse=2),
        "settings": QUICK["settings"]._replace(acts=1),
        "alerts": QUICK["alerts"]._replace(acts=2),
    },
    "quick": QUICK,
    "three acts": {
        "typed against late": Budgets(downloads=3, acts=3),
        "status and snooze": Budgets(downloads=3, acts=3),
        "warehouse": Budgets(downloads=3, acts=3, warehouse=3),
        "faults": Budgets(downloads=3, acts=3, lost_records=1, warehouse=2, redactions=1),
        "settings": Budgets(downloads=3, acts=3, settings_changes=1),
        "alerts": Budgets(downloads=3, acts=3, warehouse=3),
        "lines": Budgets(downloads=3, acts=3, warehouse=3),
        "taken over": Budgets(downloads=3, acts=2, warehouse=2),
    },
    # All acts of people, two at a time, and a lost record and a redaction in every world.
    "all acts": {
        name: budgets._replace(
            acts=min(budgets.acts, 2), lost_records=1, redactions=1, settings_changes=min(budgets.settings_changes, 1)
        )
        for name, budgets in QUICK.items()
    },
}
