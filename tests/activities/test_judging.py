from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from activities.judging import judge, known_base
from tests.fakes.trial import PYTEST, Trial, lines, outcome, trial
from thirdshift.core.ports import CommandEnd
from thirdshift.core.suites import TestTally

PASSING = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
TWO = PASSING + "\n    def test_b(self):\n        pass\n"
JUNIT = '<testsuite><testcase classname="a.A" name="one"/><testcase classname="a.A" name="two"/></testsuite>'

Open = Callable[..., AbstractAsyncContextManager[Trial]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def at(files: dict[str, str], **given: Any) -> AbstractAsyncContextManager[Trial]:
        return trial(tmp_path, files, **given)

    return at


def check(identifier: str, run: str, more: str = "") -> str:
    return f"id: {identifier}, run: '{run}', covers: [AC-1], timeout: 1m{', ' if more else ''}{more}"


async def test_checks_run_in_the_order_written_and_one_that_stops_leaves_the_rest_out(opened: Open) -> None:
    checks = lines(check("one", "true"), check("two", "false"), check("three", "exit 3", "stop_on_fail: true"))
    async with opened({"a.txt": "a"}, checks=checks, holdout=lines(check("four", "true"))) as made:
        verdict = await made.verdict({"a.txt": "b"})
    assert [(found.id, found.passed, found.exit_code) for found in verdict.checks] == [
        ("one", True, 0),
        ("two", False, 1),
        ("three", False, 3),
    ]
    assert verdict.not_run == ("four",)
    assert not verdict.passed


async def test_a_check_that_writes_into_the_tree_does_not_reach_the_next_one(opened: Open) -> None:
    checks = lines(
        check("one", "echo changed > a.txt; mkdir -p made; touch made/here"),
        check("two", "grep -q b a.txt && ! ls made"),
    )
    async with opened({"a.txt": "a"}, checks=checks) as made:
        verdict = await made.verdict({"a.txt": "b"})
        assert verdict.passed
        assert made.services.hub.read_file(verdict.tree, "a.txt", 10) == b"b"
        assert list(Path(made.services.scratch).iterdir()) == []


async def test_held_out_files_are_there_for_the_held_out_check_alone_and_cannot_be_written(opened: Open) -> None:
    checks = lines(
        check("seen", 'find / -name "cents-held*" -not -path "/proc/*" 2>/dev/null; grep -rl hidden "$HOLDOUT"; true')
    )
    held = lines(check("held", 'cat "$HOLDOUT/cents-held.txt" "$HOLDOUT/deep/er.txt"; ! touch "$HOLDOUT/x"'))
    files = {"cents-held.txt": "hidden", "deep/er.txt": "deeper"}
    async with opened({"a.txt": "a"}, checks=checks, holdout=held, holdout_files=files) as made:
        verdict = await made.verdict({"a.txt": "b"})
    assert outcome(verdict, "seen").output == ""
    assert outcome(verdict, "held").output.startswith("hiddendeeper")
    assert verdict.passed


async def test_a_visible_check_cannot_tell_by_the_variable_that_it_is_one(opened: Open) -> None:
    look = 'test -n "$HOLDOUT" && ls "$HOLDOUT" | grep -c .'
    async with opened({"a.txt": "a"}, checks=lines(check("seen", look)), holdout=lines(check("held", look))) as made:
        made.services.ledger.get_spec("spec")
        verdict = await made.verdict({"a.txt": "b"})
    assert outcome(verdict, "seen").output == "1\n"


async def test_without_hold_outs_there_is_no_such_variable(opened: Open) -> None:
    async with opened({"a.txt": "a"}, checks=lines(check("seen", 'test -z "${HOLDOUT-}"'))) as made:
        assert (await made.verdict({"a.txt": "b"})).passed


async def test_a_check_that_runs_too_long_fails_and_the_next_one_runs(opened: Open) -> None:
    checks = lines("id: slow, run: 'sleep 60', timeout: 1s", check("next", "true"))
    async with opened({"a.txt": "a"}, checks=checks) as made:
        verdict = await judge(made.services, made.context, made.tree({"a.txt": "b"}), None)
    assert outcome(verdict, "slow").end is CommandEnd.TIMED_OUT
    assert outcome(verdict, "next").passed


async def test_paths_out_of_scope_are_listed_and_refused_though_all_checks_pass(opened: Open) -> None:
    async with opened({"src/a.txt": "a", "b.txt": "b"}, checks=lines(check("one", "true")), write='"src/**"') as made:
        verdict = await made.verdict({"src/a.txt": "b", "b.txt": "c", "new.txt": "d"})
    assert verdict.out_of_scope == ("b.txt", "new.txt")
    assert verdict.checks[0].passed
    assert not verdict.passed


async def test_protected_files_are_as_base_had_them_when_checks_run(opened: Open) -> None:
    files = {"tests/test_a.py": PASSING, "tests/data/x.json": "{}", "run.sh": "exit 1\n", "conftest.py": "", "a.py": ""}
    cat = "cat tests/test_a.py tests/data/x.json conftest.py; ls; ls tests"
    async with opened(files, checks=lines(check("one", cat)), write='"**", "!tests/**"') as made:
        verdict = await made.verdict(
            {
                "tests/test_a.py": None,
                "tests/data/x.json": "-> ../../a.py",
                "conftest.py": "hook = 1",
                "pytest.py": "",
                "a.py": "b",
            }
        )
    assert verdict.checks[0].output == f"{PASSING}{{}}a.py\nconftest.py\nrun.sh\ntests\ndata\ntest_a.py\n"
    assert [sentence.split(" ")[0] for sentence in verdict.tampering] == [
        "conftest.py",
        "pytest.py",
        "tests/data/x.json",
        "tests/test_a.py",
    ]


async def test_what_setup_made_is_there_for_every_check(opened: Open, tmp_path: Path) -> None:
    async with opened({"a.txt": "a"}, checks=lines(check("one", "built/tool")), write='"**"') as made:
        setup = "mkdir built && printf '#!/bin/sh\\necho built\\n' > built/tool && chmod +x built/tool"
        spec = made.context.spec.model_copy(update={"setup": setup})
        context = made.context.model_copy(update={"spec": spec})
        verdict = await judge(made.services, context, made.tree({"a.txt": "b"}), None)
    assert (verdict.passed, verdict.checks[0].output) == (True, "built\n")


async def test_new_tests_in_scope_are_welcome_and_counted(opened: Open) -> None:
    run = lines(check("unit", "python3 -m unittest discover -s tests"))
    async with opened({"tests/test_a.py": PASSING}, checks=run, write='"src/**", "tests/**"') as made:
        verdict = await made.verdict({"tests/test_a.py": TWO, "tests/test_new.py": PASSING, "src/b.py": "x = 1\n"})
        assert verdict.passed
        assert verdict.checks[0].tests == TestTally(
            passed=3, files=("/workspace/tests/test_a.py", "/workspace/tests/test_new.py")
        )


async def test_a_test_in_scope_that_no_longer_runs_is_tampering(opened: Open) -> None:
    run = lines(check("unit", "python3 -m unittest discover -s tests"))
    async with opened({"tests/test_a.py": TWO}, checks=run, write='"tests/**"') as made:
        gone = await made.verdict({"tests/test_a.py": PASSING})
        skipped = await made.verdict(
            {"tests/test_a.py": TWO.replace("    def test_b", "    @unittest.skip(str())\n    def test_b")}
        )
        moved = await made.verdict({"tests/test_a.py": None, "tests/test_c.py": TWO})
    assert gone.tampering == ("In check `unit`, 1 test: ran at base and did not run now: test_a.T.test_b.",)
    assert skipped.tampering == ("In check `unit`, 1 test: ran at base and is skipped now: test_a.T.test_b.",)
    assert moved.tampering == (
        "In check `unit`, 2 tests: ran at base and did not run now: test_a.T.test_a, test_a.T.test_b.",
    )


async def test_pytest_tests_are_counted_by_name_without_parameters(opened: Open) -> None:
    test = "import os, pytest\n\n@pytest.mark.parametrize('x', [os.getpid(), 2])\ndef test_a(x):\n    assert True\n"
    run = lines(check("unit", f"{PYTEST} tests"))
    async with opened({"tests/test_a.py": test}, checks=run, write='"tests/**"') as made:
        kept = await made.verdict({"tests/test_b.py": "def test_b():\n    pass\n"})
        lost = await made.verdict({"tests/test_a.py": test.replace(", 2]", "]")})
    assert kept.passed
    assert lost.tampering == ("In check `unit`, 1 test: ran at base and did not run now: tests.test_a::test_a.",)


async def test_a_declared_report_is_counted_and_an_old_one_in_the_tree_is_not(opened: Open) -> None:
    run = lines(check("unit", "sh make-report", 'report: "out/*.xml"'))
    files = {"make-report": f"mkdir -p out; echo '{JUNIT}' > out/junit.xml"}
    async with opened(files, checks=run) as made:
        verdict = await made.verdict({"make-report": files["make-report"] + " # again"})
        assert verdict.passed
        assert verdict.checks[0].tests == TestTally(passed=2)
        forged = await made.verdict({"make-report": "true", "out/junit.xml": JUNIT})
        linked = await made.verdict({"make-report": "mkdir out; ln -s /etc/passwd out/a.xml"})
    for found in (forged, linked):
        assert not found.checks[0].passed
        assert "wrote no JUnit XML that can be read" in found.checks[0].output


async def test_a_command_that_sets_its_own_path_is_still_seen(opened: Open) -> None:
    run = lines(check("unit", "PYTHONPATH=src python3 -m unittest tests.test_a"))
    async with opened({"tests/__init__.py": "", "tests/test_a.py": TWO, "src/a.py": ""}, checks=run) as made:
        base = await known_base(made.services, made.context)
    assert base.checks[0].tests is not None
    assert base.checks[0].tests.passed == 2


async def test_base_is_judged_once_for_each_loop(opened: Open) -> None:
    async with opened({"a.txt": "a"}, checks=lines(check("one", "date +%N"))) as made:
        first = await known_base(made.services, made.context)
        assert await known_base(made.services, made.context) == first


async def test_a_forged_report_does_not_stand_where_a_failing_test_goes_unnoticed(opened: Open) -> None:
    forge = (
        "import json, os\nwith open(os.environ['THIRDSHIFT' + '_REPORT'] + '/unittest-1.jsonl', 'w') as f:\n"
        "    for event in ('start', 'pass'):\n"
        "        f.write(json.dumps([event, 'test_a.T.test_a', '/workspace/tests/test_a.py']) + '\\n')\nos._exit(0)\n"
    )
    files = {"tests/test_a.py": "import b\n" + PASSING.replace("pass\n", "self.fail()\n"), "b.py": ""}
    run = lines(check("unit", "python3 -m unittest discover -s tests -t ."))
    async with opened({**files, "tests/__init__.py": ""}, checks=run, write='"b.py"') as made:
        verdict = await made.verdict({"b.py": forge.replace("test_a.T", "tests.test_a.T")})
    assert verdict.checks[0].passed
    assert [sentence.split(" even ")[0] for sentence in verdict.tampering] == ["Check `unit` passes"]


async def test_a_check_that_names_its_tests_is_not_accused_for_a_test_that_it_never_sees(opened: Open) -> None:
    run = lines(check("unit", "python3 -m unittest tests.test_a.T.test_a"))
    files = {"tests/__init__.py": "", "tests/test_a.py": TWO, "a.py": ""}
    async with opened(files, checks=run) as made:
        assert (await made.verdict({"a.py": "x = 1\n"})).passed


async def test_on_base_every_check_runs_so_that_its_tests_are_known(opened: Open) -> None:
    run = lines(
        check("lint", "test -e b.txt", "stop_on_fail: true"), check("unit", "python3 -m unittest discover -s tests")
    )
    async with opened({"tests/test_a.py": TWO}, checks=run) as made:
        gone = await made.verdict({"b.txt": "b", "tests/test_a.py": PASSING})
        stopped = await made.verdict({"tests/test_c.py": PASSING})
    assert "1 test: ran at base and did not run now" in gone.tampering[0]
    assert stopped.not_run == ("unit",)


async def test_a_check_may_install_packages_for_its_user(opened: Open) -> None:
    run = lines(check("one", 'touch "$(python3 -m site --user-site)/installed.py" && python3 -c "import installed"'))
    async with opened({"a.txt": "a"}, checks=run) as made:
        assert (await made.verdict({"a.txt": "b"})).passed
