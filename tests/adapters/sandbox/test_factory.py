"""The configuration's word picks the sandbox, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from thirdshift.adapters.sandbox.factory import build_sandbox
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, SandboxPlan


@pytest.mark.parametrize("backend", ["bubblewrap", "none"])
def test_a_backend_is_built_by_its_name(backend: str) -> None:
    assert build_sandbox(backend).name == backend


@pytest.mark.parametrize("backend", ["", "None", "bwrap", "auto"])
def test_another_word_is_refused_with_the_words_there_are(backend: str) -> None:
    with pytest.raises(SandboxUnavailable, match="bubblewrap, container, none"):
        build_sandbox(backend)


async def test_a_toolchain_outside_usr_is_seen_read_only(plan: SandboxPlan, tmp_path: Path) -> None:
    toolchain = tmp_path / "toolchain"
    toolchain.mkdir()
    (toolchain / "version").write_text("1.2.3")
    sandbox = build_sandbox("bubblewrap", read_only=(str(toolchain),))
    script = f"cat {toolchain}/version; echo > {toolchain}/version; ls {tmp_path}"
    result = await sandbox.run_once(plan, Command(run=script, timeout_seconds=30))
    assert result.output.startswith("1.2.3")
    assert result.output.endswith("toolchain\n")
    assert (toolchain / "version").read_text() == "1.2.3"


@pytest.mark.parametrize("path", ["/", "relative", "/no/such/toolchain"])
def test_a_toolchain_that_cannot_be_shown_is_refused_by_name(path: str) -> None:
    with pytest.raises(SandboxUnavailable, match=path):
        build_sandbox("bubblewrap", read_only=(path,))
