"""Cursors: each belongs to one list."""

import pytest

from needs_attention.api.cursors import cursor_at, position_in
from needs_attention.api.problems import Problem


def test_a_cursor_goes_on_in_its_list_and_in_no_other() -> None:
    cursor = cursor_at("701-1", "redactions acme-na")
    assert position_in(cursor, "redactions acme-na") == "701-1"
    for number in range(100):
        with pytest.raises(Problem, match="invalidCursor"):
            position_in(cursor, f"redactions shop-{number}")
