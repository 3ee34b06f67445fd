import pytest

from thirdshift.core.diff_shape import FileChange, LineKind, changes, told_apart, without_hashes

DIFF = """\
diff --git a/src/a.py b/src/a.py
index 1111111111111111111111111111111111111111..2222222222222222222222222222222222222222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,4 @@ def f():
 same
--- a dash, a dash: a removed line
+++ b/etc/passwd
+diff --git a/x b/x
 same
diff --git a/new.txt b/new.txt
new file mode 100644
index 0000000000000000000000000000000000000000..3333333333333333333333333333333333333333
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+index 1..2
\\ No newline at end of file
"""


def test_content_cannot_pose_as_a_heading() -> None:
    kinds = [kind for kind, _ in told_apart(DIFF)]
    assert kinds.count(LineKind.FILE) == 2
    assert kinds[6:9] == [LineKind.REMOVED, LineKind.ADDED, LineKind.ADDED]


def test_every_file_is_counted_with_its_lines() -> None:
    assert changes(DIFF) == (
        FileChange(path="src/a.py", added=2, removed=1),
        FileChange(path="new.txt", added=1, removed=0),
    )


def test_the_names_of_blobs_are_left_out_and_content_that_looks_like_them_is_not() -> None:
    shown = without_hashes(DIFF)
    assert "1111111" not in shown
    assert "+index 1..2" in shown
    assert len(shown.splitlines()) == len(DIFF.splitlines()) - 2


@pytest.mark.parametrize("text", ["", "no diff at all\n", "@@ -x +y @@\n+a\n", "@@ \n", "diff --git "])
def test_what_is_no_diff_is_taken_for_lines(text: str) -> None:
    assert [line for _, line in told_apart(text)] == text.removesuffix("\n").split("\n") * bool(text)
    changes(text)


def test_a_form_feed_or_a_line_separator_does_not_end_a_line() -> None:
    diff = "diff --git a/a b/a\n@@ -0,0 +1 @@\n+one\x0cdiff --git a/b b/b\u2028-two\n"
    assert changes(diff) == (FileChange(path="a", added=1, removed=0),)
