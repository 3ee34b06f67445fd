"""Disks that are full or may not be written, as real mounts in a namespace of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.desk import Type

FILL = "head -c 10000000 /dev/zero > {0}/fill 2>/dev/null"


def wrapped(script: str, *arguments: str, start: Type) -> tuple[int, str, str]:
    """Run a command of ours after a script that mounts things; both see a machine of their own."""
    allowed = subprocess.run(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"], capture_output=True, check=False
    )
    if allowed.returncode:
        pytest.skip(f"no mounts in a namespace of one's own here: {allowed.stderr.decode().strip()}")
    words = " ".join(arguments)
    process = start("-rm", "sh", "-c", f"{script}\n{sys.executable} -m thirdshift {words}; exit $?", program="unshare")
    out, err = process.communicate()
    assert "Traceback" not in err
    return process.returncode, out, err


def full(place: Path, *, keep: str = "") -> str:
    """Mount a tmpfs, put things there, and fill it to the last byte."""
    return f"mount -t tmpfs -o size=256k none {place} || exit 9\n{keep}\n{FILL.format(place)}"


def test_a_run_on_a_full_disk_is_refused_in_plain_words_and_leaves_no_ledger(desk: Path, start: Type) -> None:
    home = desk / "home"
    home.mkdir()
    # What is left there is told by the shell, since the mount is gone with it.
    code, out, err = wrapped(full(home), "run", "spec.md", f"; c=$?; ls -s {home}; (exit $c)", start=start)
    assert code == 69, err
    assert "the disk is full" in err
    assert "ledger" not in out


def test_books_that_cannot_grow_are_told_of_as_such(desk: Path, start: Type) -> None:
    home = desk / "home"
    home.mkdir()
    code, _, err = wrapped(full(home, keep=f": > {home}/ledger.db"), "status", start=start)
    assert code == 69, err
    assert "the ledger at" in err
    assert "fault of Thirdshift" not in err


def test_init_on_a_full_disk_leaves_no_half_file(desk: Path, start: Type) -> None:
    place = desk / "new"
    place.mkdir()
    code, out, err = wrapped(full(place), "init", str(place), f"; c=$?; ls {place}; (exit $c)", start=start)
    assert code == 69, err
    assert "the disk is full" in err
    assert out.split() == ["fill"]


def test_a_repository_that_may_only_be_read_is_refused_before_anything_is_begun(desk: Path, start: Type) -> None:
    repository = desk / "repo"
    script = f"mount --bind {repository} {repository} && mount -o remount,bind,ro {repository} || exit 9"
    code, _, err = wrapped(script, "run", "spec.md", start=start)
    assert code == 64, err
    assert f"not write {repository}/.git/objects" in err
    _, out, _ = wrapped(script, "status", start=start)
    assert "no job was submitted yet" in out
