"""The pure reading of .gitignore agrees with git itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.hub.repositories import git
from thirdshift.core.ignore import is_ignored, parse_ignore

LINES = st.text("ab*?[]!/\\.-# ", max_size=8) | st.sampled_from(
    ["**/a", "a/**", "a/**/b", "**", "*", "!a", "/a", "a/", "!a/", "*.a", "[!a]", "[a-b]*", "a**b", "\\a", "[]a]"]
)
NAMES = st.text("ab.-#!", min_size=1, max_size=3).filter(lambda name: name.strip("."))
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=8)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=5), PATHS)
def test_files_are_ignored_exactly_when_git_ignores_them(lines: list[str], paths: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        git(root, "init", "-q")
        (root / ".gitignore").write_text("\n".join(lines))
        asked = "".join(f"{'/'.join(path)}\0" for path in paths).encode()
        out = git(root, "check-ignore", "--no-index", "-z", "--stdin", stdin=asked, check=False)
    by_git = {path for path in out.split("\0") if path}
    rules = parse_ignore("\n".join(lines), 0)
    ours = {"/".join(path) for path in paths if _walked_into(path, rules)}
    assert ours == by_git


def _walked_into(path: list[str], rules: object) -> bool:
    """As a walk sees it: whatever lies in an ignored directory is ignored."""
    for depth in range(1, len(path) + 1):
        part = path[:depth]
        if is_ignored(part, is_directory=depth < len(path), rules=rules):  # type: ignore[arg-type]
            return True
    return False
