from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.model import ModelActivities
from activities.services import Services
from activities.tools import ToolActivities
from tests.activities.bench import JOB, LOOP, RUNG, PlayedModel, answer, call, open_attempt, services_at
from thirdshift.core.conversation import ToolCall, ToolResult
from thirdshift.core.ladder import Rung
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.signatures import CallModel, RunTools, ToolsRan


def repository(root: Path) -> Path:
    repo = root / "repo"
    repo.mkdir()
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", *arguments], cwd=repo, check=True)
    return repo


class Line:
    """One attempt on real services: the model's answers are given, everything else is real."""

    def __init__(self, root: Path, *answers: ModelAnswer, rung: Rung = RUNG, secrets: tuple[str, ...] = ()) -> None:
        pending = list(answers)

        async def plays(request: ModelRequest) -> ModelAnswer:
            return pending.pop(0)

        self.services: Services = replace(services_at(root, PlayedModel(plays)), secrets=frozenset(secrets))
        head = self.services.hub.resolve(str(repository(root)), "main")
        self.base = self.services.hub.import_base(str(root / "repo"), head.commit, JOB)
        open_attempt(self.services, self.base.tree, self.base.commit, rung)
        self.step = 0
        self.call = 0

    def environment(self) -> ActivityEnvironment:
        made = ActivityEnvironment()
        fields = {name: getattr(made.info, name) for name in made.info.__dataclass_fields__}
        made.info = made.info.__class__(**{**fields, "workflow_id": LOOP, "activity_id": str(self.step)})
        return made

    async def go(self) -> ToolsRan:
        """The next step: the call and its tools."""
        self.step += 1
        asked = await self.environment().run(ModelActivities(self.services).call_model, CallModel(n=1, s=self.step))
        self.call = asked.call
        return await self.tools()

    async def tools(self) -> ToolsRan:
        return await self.environment().run(ToolActivities(self.services).run_tools, RunTools(n=1, call=self.call))

    def results(self) -> list[str]:
        run = self.services.ledger.tool_run(self.call)
        assert run is not None
        return [part.text for part in run.results.parts if isinstance(part, ToolResult)]

    def read(self, tree: str, path: str) -> bytes | None:
        return self.services.hub.read_file(tree, path, 10_000)

    async def close(self) -> None:
        await self.services.workspaces.close()


async def test_a_written_file_is_in_the_next_tree(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("write_file", path="calc.py", content="fixed\n")))
    ran = await line.go()
    assert ran.commit
    assert line.read(ran.tree, "calc.py") == b"fixed\n"
    await line.close()


async def test_a_command_runs_in_the_workspace_and_its_output_is_told(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("bash", command="cat calc.py; exit 3")))
    ran = await line.go()
    assert (ran.tree, ran.commit) == (line.base.tree, ""), "nothing changed, so there is no commit"
    assert line.results() == ["exit code 3\ndef add(a, b):\n    return a - b\n"]
    await line.close()


async def test_a_step_that_is_tried_again_after_it_finished_runs_nothing_twice(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("bash", command="echo once >> log.txt")))
    first = await line.go()
    again = await line.tools()
    assert first == again
    assert line.read(first.tree, "log.txt") == b"once\n"
    await line.close()


async def test_a_step_that_was_cut_off_starts_over_from_the_tree_before_it(tmp_path: Path) -> None:
    line = Line(
        tmp_path,
        answer(call("bash", command="echo one > log.txt")),
        answer(call("bash", command="echo two >> log.txt")),
    )
    await line.go()
    # As a worker leaves it that dies in the middle of the second step.
    workspace = Path(line.services.workspaces._live[LOOP].directory)
    await line.close()
    (workspace / "log.txt").write_text("half done")
    (workspace.parent / "mark").unlink()
    ran = await line.go()
    assert line.read(ran.tree, "log.txt") == b"one\ntwo\n"
    await line.close()


async def test_a_stop_in_a_running_command_kills_it_and_the_workspace_is_not_built_upon(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("bash", command="echo begun > log.txt; sleep 300")))
    line.step = 1
    asked = await line.environment().run(ModelActivities(line.services).call_model, CallModel(n=1, s=1))
    line.call = asked.call
    where = line.environment()
    running = asyncio.create_task(where.run(ToolActivities(line.services).run_tools, RunTools(n=1, call=line.call)))
    log = tmp_path / "work" / LOOP / "tree" / "log.txt"
    for _ in range(600):
        if log.exists():
            break
        await asyncio.sleep(0.05)
    where.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not (tmp_path / "work" / LOOP / "mark").exists()
    assert line.services.ledger.tool_run(line.call) is None
    await line.close()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (call("fly", command="x"), "there is no tool `fly`"),
        (ToolCall(id="1", name="bash", arguments=None, raw='{"command": "ls'), "was no JSON object"),
        (call("read_file", path="missing.py"), "does not exist"),
        (call("read_file", path="../../etc/passwd"), "'..' is not allowed"),
        (call("write_file", path="/etc/passwd", content="x"), "not relative to the workspace"),
        (call("edit_file", path="calc.py", old="a", new="b"), "there is no tool `edit_file`"),
    ],
    ids=["unknown tool", "no JSON", "missing file", "leaves the tree", "absolute", "not offered to this tier"],
)
async def test_a_mistaken_call_is_explained_to_the_model(tmp_path: Path, asked: ToolCall, says: str) -> None:
    line = Line(tmp_path, answer(asked))
    ran = await line.go()
    assert says in line.results()[0]
    assert ran.tree == line.base.tree
    await line.close()


async def test_two_calls_in_one_answer_run_in_their_order(tmp_path: Path) -> None:
    line = Line(
        tmp_path,
        answer(call("write_file", path="a.txt", content="1\n"), call("bash", command="cat a.txt")),
    )
    await line.go()
    assert line.results() == ["a.txt is written", "exit code 0\n1\n"]
    await line.close()


async def test_nothing_runs_after_finish(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("finish", summary="done"), call("bash", command="touch late.txt")))
    ran = await line.go()
    assert ran.finished
    assert line.read(ran.tree, "late.txt") is None
    assert "Not run" in line.results()[1]
    await line.close()


async def test_an_answer_cut_at_the_token_limit_runs_nothing_and_goes_on(tmp_path: Path) -> None:
    cut = answer(call("bash", command="rm -rf"), stop=StopKind.MAX_TOKENS)
    line = Line(tmp_path, cut)
    ran = await line.go()
    assert not ran.finished
    assert line.results() == ["Not run: the answer was cut off."]
    conversation = line.services.ledger.conversation(LOOP, 1)
    assert "limit of output tokens" in conversation.messages[-1].text
    await line.close()


@pytest.mark.parametrize("words", ["I am done.", ""], ids=["words alone", "an empty answer"])
async def test_an_answer_without_tools_ends_the_attempt(tmp_path: Path, words: str) -> None:
    line = Line(tmp_path, answer(text=words))
    assert (await line.go()).finished
    await line.close()


async def test_a_tree_that_may_not_be_kept_is_explained_and_the_step_is_not_in_it(tmp_path: Path) -> None:
    line = Line(tmp_path, answer(call("bash", command="git init -q nested && touch nested/x")), answer(call("finish")))
    ran = await line.go()
    assert ran.tree == line.base.tree
    conversation = line.services.ledger.conversation(LOOP, 1)
    assert "nested" in conversation.messages[-1].text
    await line.close()


async def test_secrets_and_hidden_characters_never_reach_the_books(tmp_path: Path) -> None:
    command = "printf 'key hunter2-hunter2\\033[31m red \\342\\200\\256'"
    line = Line(tmp_path, answer(call("bash", command=command)), secrets=("hunter2-hunter2",))
    await line.go()
    assert line.results() == ["exit code 0\nkey <redacted><U+001B>[31m red <U+202E>"]
    await line.close()


async def test_the_text_protocol_writes_whole_files_and_ends_the_attempt(tmp_path: Path) -> None:
    words = "Here it is.\n\ncalc.py\n```python\ndef add(a, b):\n    return a + b\n```\n"
    line = Line(tmp_path, answer(text=words), rung=RUNG.model_copy(update={"tools": "text"}))
    ran = await line.go()
    assert ran.finished
    assert line.read(ran.tree, "calc.py") == b"def add(a, b):\n    return a + b\n"
    await line.close()


async def test_the_same_calls_with_the_same_results_have_the_same_signature(tmp_path: Path) -> None:
    line = Line(
        tmp_path,
        answer(call("bash", command="cat calc.py")),
        answer(call("bash", command="cat calc.py")),
        answer(call("bash", command="cat calc.py; true")),
    )
    signatures = [(await line.go()).sig for _ in range(3)]
    assert signatures[0] == signatures[1] != signatures[2]
    await line.close()
