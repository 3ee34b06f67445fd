"""The shell lines of docs/events.md, run as they stand: what they send is genuine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.fakes.webhooks import SECRET
from thirdshift.core.events.signatures import SourceKind, is_genuine

PAGE = Path(__file__).parents[3] / "docs" / "events.md"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the lines need openssl")
def test_the_documented_upload_is_genuine(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```sh\n(id=.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "results.sarif").write_bytes(b'{"version": "2.1.0"}\n\xc3\xa9 %s %n\\')
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n')
    fake.chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", lines],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CI_PIPELINE_ID": "7", "SCAN_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    headers = dict(word.split(": ", 1) for word in said if re.match(r"[a-z-]+: ", word))
    assert headers["webhook-id"] == "scan-7"
    assert is_genuine(
        SourceKind.SARIF,
        headers,
        (tmp_path / "results.sarif").read_bytes(),
        (SECRET,),
        now=time.time(),  # noqa: TID251 - the lines take the time from the machine
        tolerance_seconds=300,
    )
