from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.rig.past_bugs import PAST_BUGS, Edit, PastBug, Repair, put_in
from bench.rig.repair_script import ECONOMY, SPECIALIST, functions, repair_plays, repair_script
from thirdshift.adapters.llm.script_format import parse_script

LONG_REST = "".join(f"def filler{number}():\n    return None\n\n\n" for number in range(2000))
CODE = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2\n\n\n"


def bug(path: str) -> PastBug:
    """A bug in which `one` and `two` answer wrongly; the first repair spoils `two`, the second mends it as well."""
    wrong = Repair("First.", (Edit(path, "return 1", "return 10"), Edit(path, "return 2", "return 0")))
    right = Repair("Second.", (Edit(path, "return 1", "return 10"), Edit(path, "return 2", "return 20")))
    return PastBug(
        project="p",
        version="1",
        told_in="nowhere",
        title="Ten times as much",
        goal="One and two are too small.",
        criterion="When asked, the functions shall answer ten times as much.",
        put_back=(),
        requirements=(),
        suite="true",
        narrow="true",
        look=f"cat {path}",
        economy=(wrong,),
        specialist=right,
    )


def tree_with(directory: Path, text: str) -> Path:
    (directory / "code.py").write_text(text)
    return directory


def call_of(play: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The one call that writes, of an attempt's play."""
    ((name, given),) = play["steps"][1]["tools"][0].items()
    return name, given


def test_a_repair_climbs_where_the_specialist_makes_it(tmp_path: Path) -> None:
    plays = repair_plays(bug("code.py"), tree_with(tmp_path, CODE))
    assert [play["when"].get("role") for play in plays] == ["plan", "code", "code"]
    assert [(play["when"]["model"], play["when"]["attempt"]) for play in plays[1:]] == [(ECONOMY, 1), (SPECIALIST, 2)]
    assert len(parse_script(repair_script(plays), "benchmark script").plays) == 3


def test_a_short_file_is_written_whole(tmp_path: Path) -> None:
    plays = repair_plays(bug("code.py"), tree_with(tmp_path, CODE))
    name, given = call_of(plays[2])
    assert name == "write_file"
    assert given["content"] == CODE.replace("return 1", "return 10").replace("return 2", "return 20")


def test_of_a_long_file_the_functions_are_replaced_whatever_was_tried_before(tmp_path: Path) -> None:
    text = CODE + LONG_REST
    plays = repair_plays(bug("code.py"), tree_with(tmp_path, text))
    for play in plays[1:]:
        name, given = call_of(play)
        assert name == "bash"
        subprocess.run(["/bin/sh", "-c", given["command"]], cwd=tmp_path, check=True)
    mended = (tmp_path / "code.py").read_text()
    assert functions(mended) == functions(text) | {
        "one": "def one():\n    return 10\n\n\n",
        "two": "def two():\n    return 20\n\n\n",
    }
    assert mended.startswith("import os\n")


def test_an_edit_that_does_not_fit_writes_nothing(tmp_path: Path) -> None:
    tree_with(tmp_path, CODE)
    edits = (Edit("code.py", "return 1", "return 7"), Edit("code.py", "return 3", "return 8"))
    with pytest.raises(ValueError, match=r"code\.py: 0 places to change instead of 1"):
        put_in(edits, tmp_path)
    assert (tmp_path / "code.py").read_text() == CODE


def test_edits_of_one_file_follow_each_other(tmp_path: Path) -> None:
    tree_with(tmp_path, CODE)
    put_in((Edit("code.py", "return 1", "return 5"), Edit("code.py", "return 5", "return 6")), tmp_path)
    assert "return 6" in (tmp_path / "code.py").read_text()


@pytest.mark.parametrize("past", PAST_BUGS, ids=lambda past: past.project)
def test_every_past_bug_is_met_by_a_wrong_repair_first(past: PastBug) -> None:
    assert len(past.economy) == 2, "the economy rung has two attempts"
    assert len({repair.edits for repair in past.answers}) == len(past.answers)
    assert past.told_in.partition("#")[0].count("/") == 1
