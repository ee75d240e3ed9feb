"""The documents say the numbers that the code has: people plan by them."""

from datetime import timedelta
from pathlib import Path

import pytest

from needs_attention.downloads.quota import RETRY_AFTER
from needs_attention.downloads.second_look import REPORT_TAKES_AT_MOST
from needs_attention.downloads.walk import FEW_PAGES, LISTED_LATE, OVERLAP
from needs_attention.integrations.arrivals import LATEST
from needs_attention.integrations.expiry import CLIENT_SECRET_LIVES, CONSENT_LIVES, WARNED_BEFORE
from needs_attention.jobs.digest import (
    MOST_DUE_READ,
    MOST_HELD_READ,
    MOST_INTEGRATIONS_TOLD,
    MOST_ORDERS_NAMED,
    OVERDUE_FOR_AT_MOST,
)
from needs_attention.jobs.download.searches import BACKDATED_LIVE_INTERVAL
from needs_attention.jobs.redactions import MOST_REDACTED_AT_ONCE
from needs_attention.orders.order import LONGEST_DELIVERY, LONGEST_KEPT, REDACTION_AGE, UNSENT_KEPT
from needs_attention.tables.orders import MOST_ORDERS_COUNTED, MOST_REDACTIONS_COUNTED

DOCS = Path(__file__).parents[2] / "docs"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
IN_WORDS = {3: "three"}


def says(document: str, words: str) -> bool:
    return words in " ".join((DOCS / document).read_text().split())


@pytest.mark.parametrize(
    "words",
    [
        f"For each of at most {MOST_INTEGRATIONS_TOLD} integrations",
        f"most urgent held orders, at most {MOST_ORDERS_NAMED},",
        f"at most {MOST_HELD_READ:,} held and {MOST_ORDERS_COUNTED:,} new orders of an integration",
        f"passed in the last {OVERDUE_FOR_AT_MOST.days} days: at most {MOST_DUE_READ:,} of each Stage",
        f"credentials that end within {WARNED_BEFORE.days} days",
    ],
)
def test_the_digest_tells_as_much_as_operations_md_says(words: str) -> None:
    assert says("operations.md", words)


@pytest.mark.parametrize(
    "words",
    [
        f"every {BACKDATED_LIVE_INTERVAL // MINUTE} while backdated work waits",
        f"{LISTED_LATE[0] // MINUTE} minutes if all of it fits on one page",
        f"else {LISTED_LATE[1] // MINUTE} minutes (up to about 7,000), else {OVERLAP.seconds} seconds",
        f"a slice of up to {IN_WORDS[FEW_PAGES]} pages is walked to its end first",
        f"Amazon is not called for {RETRY_AFTER // MINUTE} minutes",
        f"does not make within {REPORT_TAKES_AT_MOST // HOUR} hours",
        f"most of a marketplace's last {LATEST} orders lack a field",
    ],
)
def test_downloads_wait_and_look_as_downloads_md_says(words: str) -> None:
    assert says("downloads.md", words)


@pytest.mark.parametrize(
    "words",
    [
        f"after {REDACTION_AGE.days} days, so that with the backups",
        f"{UNSENT_KEPT.days} days after its ship-by; without one, {(LONGEST_DELIVERY + REDACTION_AGE).days} days after",
        f"is due {LONGEST_KEPT.days} days after it was ordered",
        f"integrations take turns of {MOST_REDACTED_AT_ONCE} orders",
        f"It counts at most {MOST_REDACTIONS_COUNTED:,}.",
    ],
)
def test_personal_data_is_removed_as_retention_md_says(words: str) -> None:
    assert says("retention.md", words)


def test_credentials_end_when_the_runbook_says() -> None:
    ends = f"A client secret ({CLIENT_SECRET_LIVES.days} days) or a seller's consent ({CONSENT_LIVES.days} days) ends"
    assert says("runbook.md", f"{ends} within {WARNED_BEFORE.days} days")
