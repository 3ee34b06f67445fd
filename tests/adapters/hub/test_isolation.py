from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import Bench, git, trailers, write
from thirdshift.adapters.hub import LocalHub

SECRET = "sk-not-for-git"
ROOT = Path(__file__).parents[3]


def test_no_git_process_sees_the_environment_of_this_one(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    probe = tmp_path / "git-probe"
    probe.write_text(f'#!/bin/sh\n{{ env; echo "argv: $@"; }} >> {seen}\nexec git "$@"\n')
    probe.chmod(0o755)
    for name in ("ANTHROPIC_API_KEY", "GIT_TRACE_CURL_SECRET", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("GIT_DIR", "/nonexistent/elsewhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {tmp_path}/ran")
    hub = LocalHub(str(tmp_path / "other-hub"), git=str(probe))
    base = hub.import_base(str(bench.repository), hub.resolve(str(bench.repository), "main").commit, "job-1")
    workspace = str(tmp_path / "w")
    hub.restore(workspace, base.tree, "loop-1")
    write(tmp_path / "w", {"a": "a"})
    tree = hub.snapshot(workspace, "loop-1", base.commit, trailers()).tree
    hub.diff(base.tree, tree, 10)
    hub.read_file(tree, "a", 10)
    hub.export(tree, str(tmp_path / "out"))
    hub.deliver(tree, base.commit, "m", str(bench.repository), "thirdshift/x")
    text = seen.read_text()
    commands = {"init", "rev-parse", "cat-file", "fetch", "ls-tree", "fast-import", "pack-objects", "update-ref"}
    assert all(f" {command} " in text for command in commands)
    assert SECRET not in text
    assert "/nonexistent/elsewhere" not in text
    assert set(_names(text)) <= {
        "PATH", "HOME", "XDG_CONFIG_HOME", "LC_ALL", "TZ", "PWD", "_", "SHLVL", "OLDPWD",
        "GIT_ALLOW_PROTOCOL", "GIT_ASKPASS", "GIT_ATTR_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM",
        "GIT_DIR", "GIT_INDEX_FILE", "GIT_LITERAL_PATHSPECS", "GIT_NO_LAZY_FETCH", "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY", "GIT_OPTIONAL_LOCKS", "GIT_PROTOCOL_FROM_USER", "GIT_SSH_COMMAND",
        "GIT_TERMINAL_PROMPT", "SSH_ASKPASS",
        "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
        "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE",
    }  # fmt: skip
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "ran").exists()


def _names(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("argv: ")]
    return [line.split("=", 1)[0] for line in lines if "=" in line]


def test_loading_gitpython_starts_no_git_and_leaves_the_environment_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"bin/git": f"#!/bin/sh\ntouch {tmp_path}/started\n"})
    (tmp_path / "bin/git").chmod(0o755)
    program = (
        "import os; before = dict(os.environ)\n"
        "from thirdshift.adapters.hub.git_process import GitProcess\n"
        "print(GitProcess('/usr/bin/env').run(['true'], git_dir=None, may_fail=True))\n"
        "assert dict(os.environ) == before\n"
        "import git; git.cmd.Git\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "ANTHROPIC_API_KEY": SECRET, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "started").exists()


def test_configuration_of_the_user_and_the_system_has_no_say(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"home/.gitconfig": f"[core]\n\tautocrlf = true\n\thooksPath = {tmp_path}/hooks\n"})
    write(tmp_path, {"hooks/reference-transaction": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    (tmp_path / "hooks/reference-transaction").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(bench.workspace, {"crlf": b"a\r\n"})
    tree = bench.snapshot().tree
    assert bench.hub.read_file(tree, "crlf", 10) == b"a\r\n"
    assert not (tmp_path / "ran").exists()
    assert git(bench.hub_path, "config", "--get", "core.autocrlf", check=False) == ""
