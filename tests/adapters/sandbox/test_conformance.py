"""What every sandbox does, whatever it is made of."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.adapters.sandbox.conftest import Marker
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, CommandResult, Mount, Sandbox, SandboxPlan, SandboxSession


def command(run: str, timeout_seconds: float = 60.0, output_bytes: int = 64 << 10) -> Command:
    return Command(run=run, timeout_seconds=timeout_seconds, output_bytes=output_bytes)


async def test_output_of_both_streams_is_kept_in_the_order_written(session: SandboxSession) -> None:
    result = await session.run(command("echo one; echo two >&2; echo three"))
    assert result.output == "one\ntwo\nthree\n"
    assert result.output_bytes == len(result.output)
    assert result.passed


@pytest.mark.parametrize(("run", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("no-such-program-here", 127)])
async def test_the_exit_code_is_the_shells(session: SandboxSession, run: str, code: int) -> None:
    result = await session.run(command(run))
    assert (result.end, result.exit_code, result.passed) == (CommandEnd.EXITED, code, False)


async def test_standard_input_is_empty(session: SandboxSession) -> None:
    assert (await session.run(command("cat; echo over"))).output == "over\n"


async def test_files_written_in_the_working_directory_are_in_the_workspace(
    session: SandboxSession, workspace: Path
) -> None:
    (workspace / "given").write_text("from outside")
    result = await session.run(command("cat given; echo from inside > made"))
    assert result.output == "from outside"
    assert (workspace / "made").read_text() == "from inside\n"


async def test_commands_follow_one_another_on_the_same_files(session: SandboxSession) -> None:
    await session.run(command("echo 1 > count"))
    await session.run(command("echo 2 >> count"))
    assert (await session.run(command("cat count"))).output == "1\n2\n"


async def test_two_callers_of_one_session_take_turns(session: SandboxSession) -> None:
    run = "test ! -e busy || echo overlap; touch busy; sleep 0.05; rm busy"
    results = await asyncio.gather(*(session.run(command(run)) for _ in range(4)))
    assert [result.output for result in results] == [""] * 4


async def test_the_plans_environment_and_path_reach_the_command(sandbox: Sandbox, workspace: Path) -> None:
    tools = workspace / "tools" / "bin"
    tools.mkdir(parents=True)
    (tools / "greet").write_text("#!/bin/sh\necho hello $WHO\n")
    (tools / "greet").chmod(0o755)
    plan = SandboxPlan(workspace=str(workspace), env={"WHO": "a=b\nc"}, path_prefix=("/workspace/tools/bin",))
    result = await sandbox.run_once(plan, command('greet; printf "%s" "$WHO"'))
    assert result.output == "hello a=b c\na=b\nc"


async def test_a_mounted_directory_is_found_by_its_variable(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "holdout"
    held_out.mkdir()
    (held_out / "case").write_text("42")
    mount = Mount(host=str(held_out), guest="/holdout")
    plan = SandboxPlan(workspace=str(workspace), mounts=(mount,), env={"HOLDOUT": "/holdout"})
    assert (await sandbox.run_once(plan, command('cat "$HOLDOUT/case"'))).output == "42"


async def test_python_inside_is_the_interpreter_that_runs_this(sandbox: Sandbox, plan: SandboxPlan) -> None:
    result = await sandbox.run_once(plan, command("python3 -c 'import sys, ssl, sqlite3; print(sys.version)'"))
    assert result.output.strip() == sys.version.replace("\r", "")


async def test_bytes_that_are_no_text_are_written_out_as_escapes(session: SandboxSession) -> None:
    result = await session.run(command(r"printf 'caf\303\251 \377\376 \355\240\200 end'"))
    assert result.output == "café \\xff\\xfe \\xed\\xa0\\x80 end"
    assert result.output.encode()


async def test_one_huge_line_is_cut_in_its_middle_and_counted_whole(session: SandboxSession) -> None:
    size = 5_000_000
    result = await session.run(command(f"printf START; head -c {size} /dev/zero | tr '\\0' x; printf END", 60, 1000))
    assert result.output_bytes == size + 8
    assert result.output.startswith("STARTxxx")
    assert result.output.endswith("xxxEND")
    assert f"{size + 8 - 1000} bytes not shown" in result.output
    assert len(result.output) < 1100


async def test_a_flood_of_output_is_bounded_and_ends_with_its_time(session: SandboxSession) -> None:
    result = await session.run(command("yes", 1.0, 2000))
    assert result.end is CommandEnd.TIMED_OUT
    assert result.output_bytes > 100_000
    assert len(result.output) < 2100


async def test_a_script_longer_than_an_argument_may_be_is_run(session: SandboxSession) -> None:
    text = "x" * 300_000
    result = await session.run(command(f"cat > big <<'EOF'\n{text}\nEOF\nwc -c < big"))
    assert result.output.strip() == str(len(text) + 1)


async def test_time_out_kills_everything_the_command_started(session: SandboxSession, marker: Marker) -> None:
    run = f"echo begun; setsid {marker.sleeper()} & ({marker.sleeper()} &) ; trap '' TERM INT HUP; {marker.sleeper()}"
    running = asyncio.create_task(session.run(command(run, 2.0)))
    await marker.appears()
    result = await running
    assert (result.end, result.exit_code, result.output) == (CommandEnd.TIMED_OUT, 124, "begun\n")
    assert marker.alive() == []
    assert (await session.run(command("echo next"))).output == "next\n"


async def test_a_command_leaves_no_process_behind(session: SandboxSession, marker: Marker) -> None:
    started = f"setsid {marker.sleeper()} >/dev/null 2>&1 & nohup {marker.sleeper()} & sleep 0.2; echo done"
    result = await session.run(command(started))
    assert result.passed
    assert result.output.endswith("done\n")
    assert marker.alive() == []


async def test_cancellation_goes_on_only_when_the_processes_are_dead(session: SandboxSession, marker: Marker) -> None:
    running = asyncio.create_task(session.run(command(f"setsid {marker.sleeper()} & {marker.sleeper()}")))
    await marker.appears()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marker.alive() == []
    assert (await session.run(command("echo next"))).output == "next\n"


async def test_cancelling_twice_still_kills_first(session: SandboxSession, marker: Marker) -> None:
    running = asyncio.create_task(session.run(command(marker.sleeper())))
    await marker.appears()
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marker.alive() == []


async def test_closing_kills_what_runs_and_twice_does_nothing_more(
    sandbox: Sandbox, plan: SandboxPlan, marker: Marker
) -> None:
    session = await sandbox.open(plan)
    running = asyncio.create_task(session.run(command(marker.sleeper())))
    await marker.appears()
    await session.close()
    await session.close()
    assert marker.alive() == []
    result: CommandResult = await running
    assert result.end is CommandEnd.KILLED


async def test_a_closed_session_takes_no_command(sandbox: Sandbox, plan: SandboxPlan) -> None:
    session = await sandbox.open(plan)
    await session.close()
    with pytest.raises(SandboxUnavailable, match="closed"):
        await session.run(command("true"))


async def test_a_missing_workspace_is_refused_by_name(sandbox: Sandbox, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    with pytest.raises(SandboxUnavailable, match="nowhere"):
        await sandbox.open(SandboxPlan(workspace=missing))


async def test_output_before_a_time_out_is_kept(session: SandboxSession) -> None:
    result = await session.run(command("echo so far; sleep 60", 0.5))
    assert result.output == "so far\n"


async def test_a_program_that_makes_its_output_non_blocking_does_so_for_itself_alone(session: SandboxSession) -> None:
    await session.run(command("python3 -c 'import os; os.set_blocking(1, False)'"))
    result = await session.run(command("head -c 3000000 /dev/zero | tr '\\0' x", 60, 10))
    assert (result.exit_code, result.output_bytes) == (0, 3_000_000)


async def test_a_script_with_characters_that_no_program_takes_is_no_end_of_the_session(session: SandboxSession) -> None:
    result = await session.run(command("echo a\0b"))
    assert isinstance(result.output, str)
    assert (await session.run(command("echo next"))).output == "next\n"


async def test_a_variable_that_cannot_be_set_is_refused_by_name(sandbox: Sandbox, workspace: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="BAD=NAME"):
        await sandbox.open(SandboxPlan(workspace=str(workspace), env={"BAD=NAME": "x"}))


async def test_many_sandboxes_are_open_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    plans = []
    for number in range(8):
        (tmp_path / str(number)).mkdir()
        plans.append(SandboxPlan(workspace=str(tmp_path / str(number)), env={"NUMBER": str(number)}))
    run = command("echo $NUMBER > mine; sleep 0.1; cat mine; ls | wc -l")
    results = await asyncio.gather(*(sandbox.run_once(plan, run) for plan in plans))
    assert [result.output.split() for result in results] == [[str(number), "1"] for number in range(8)]
