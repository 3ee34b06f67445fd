from __future__ import annotations

import json

from bench.rig.figures import Limit, closing_line, table


def test_a_figure_within_its_limits_is_ok() -> None:
    line = json.loads(closing_line({"ms": 3.0, "n": 5}, [Limit("ms", at_most=3), Limit("n", at_least=5)]))
    assert line == {"ms": 3.0, "n": 5, "thresholds": {"ms": "<= 3", "n": ">= 5"}, "missed": [], "ok": True}


def test_a_figure_outside_or_absent_is_named() -> None:
    line = json.loads(closing_line({"ms": 3.1}, [Limit("ms", at_most=3), Limit("gone", at_least=1)]))
    assert line["missed"] == ["ms", "gone"]
    assert line["ok"] is False


def test_numbers_of_a_table_stand_on_the_right() -> None:
    assert table([("name", "n"), ("a", 5), ("long name", 123)]) == "\n".join(
        ["name       n", "---------  ---", "a            5", "long name  123"]
    )
