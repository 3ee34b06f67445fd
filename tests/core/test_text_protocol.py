from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.text_protocol import files_in_answer, text_instructions
from thirdshift.core.tree_path import tree_path

CODE = "def f():\n    return 1\n"
KNOWN = ("src/app.py", "pkg/tool", "README.md")


def only_file(answer: str, known: tuple[str, ...] = ()) -> tuple[str, str]:
    found = files_in_answer(answer, known)
    assert found.problems == ()
    [file] = found.files
    return file


def problem(answer: str, known: tuple[str, ...] = (), *, cut: bool = False) -> str:
    found = files_in_answer(answer, known, cut=cut)
    assert found.files == ()
    [said] = found.problems
    return said


@pytest.mark.parametrize(
    "answer",
    [
        f"src/app.py\n```python\n{CODE}```",
        f"src/app.py\n\n```python\n{CODE}```\n",
        f"### src/app.py\n```python\n{CODE}```",
        f"### `src/app.py`\n\n```python\n{CODE}```",
        f"**src/app.py**\n```\n{CODE}```",
        f"**`src/app.py`**:\n```\n{CODE}```",
        f"`src/app.py`:\n```py\n{CODE}```",
        f"File: src/app.py\n```py\n{CODE}```",
        f"**File: `src/app.py`**\n```py\n{CODE}```",
        f"Filename: ./src/app.py\n```py\n{CODE}```",
        f"1. src/app.py (updated)\n```py\n{CODE}```",
        f"- **src/app.py** (new file):\n```py\n{CODE}```",
        f"/workspace/src/app.py\n```py\n{CODE}```",
        f"```src/app.py\n{CODE}```",
        f"```python src/app.py\n{CODE}```",
        f"```python:src/app.py\n{CODE}```",
        f'```python title="src/app.py"\n{CODE}```',
        f"```python file=src/app.py\n{CODE}```",
        f"```{{.python filename='src/app.py'}}\n{CODE}```",
        f"```python\n# src/app.py\n{CODE}```",
        f"Here is the updated `src/app.py`:\n```python\n{CODE}```",
        f"The complete new content of src/app.py:\n\n```python\n{CODE}```",
        f"## src/app.py\n\nThis makes it return one.\n\n```python\n{CODE}```",
        f"src/app.py\n````python\n{CODE}````",
        f"src/app.py\n~~~python\n{CODE}~~~",
        f"src/app.py\n```python\n{CODE}``````",
        f"src/app.py\n```python\n{CODE}",
        "1. src/app.py\n   ```python\n   def f():\n       return 1\n   ```",
        f"src/app.py\r\n```python\r\n{CODE}```\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"<think>\nold.py\n```python\nx\n```\n</think>\nsrc/app.py\n```python\n{CODE}```",
        f"thinking aloud\n</think>\nsrc/app.py\n```python\n{CODE}```",
        f"src/app.py\n```python\n{CODE}```\n\nAgain:\n\nsrc/app.py\n```python\n{CODE}```",
    ],
)
def test_a_file_is_found_however_its_block_is_labelled(answer: str) -> None:
    path, content = only_file(answer)
    assert (path, content.rstrip("\n")) == ("src/app.py", CODE.rstrip("\n"))


def test_several_files_come_in_the_order_given() -> None:
    answer = f"I changed two.\n\na.py\n```python\n{CODE}```\n\nsub/b.toml\n```toml\nx = 1\n```\nDone."
    assert files_in_answer(answer).files == (("a.py", CODE), ("sub/b.toml", "x = 1\n"))


def test_a_known_path_needs_no_ending_to_be_a_label() -> None:
    assert only_file("pkg/tool\n```sh\nexit 0\n```", KNOWN) == ("pkg/tool", "exit 0\n")
    assert only_file("Makefile\n```make\nall:\n\ttrue\n```") == ("Makefile", "all:\n\ttrue\n")
    assert only_file(".gitignore\n```\n*.pyc\n```") == (".gitignore", "*.pyc\n")


def test_an_empty_block_is_an_empty_file() -> None:
    assert only_file("src/__init__.py\n```python\n```") == ("src/__init__.py", "")


def test_a_longer_fence_keeps_fences_inside_a_file() -> None:
    inner = "# Use\n\n```sh\npip install x\n```\n\nDone.\n"
    assert only_file(f"README.md\n````markdown\n{inner}````") == ("README.md", inner)


def test_an_indented_fence_inside_a_docstring_is_no_end() -> None:
    code = 'def f():\n    """Use:\n\n    ```\n    f()\n    ```\n    """\n'
    assert only_file(f"a.py\n```python\n{code}```") == ("a.py", code)


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{CODE}```",
        f"Here is some code:\n```python\n{CODE}```",
        f"The original `src/app.py`:\n```python\n{CODE}```",
        f"Example usage of the new `src/app.py`:\n```python\n{CODE}```",
        "After the change, the updated `src/app.py` prints:\n```\n1\n```",
        "Run the updated tests/test_app.py:\n```bash\npytest tests/test_app.py\n```",
        f"The updated `src/app.py` and `src/b.py`:\n```python\n{CODE}```",
        f"Before/After:\n```python\n{CODE}```",
        f"Python 3.11:\n```python\n{CODE}```",
        "The updated `src/app.py`:\n```json\n{}\n```",
        f"### src/app.py\nBefore:\n```python\n{CODE}```",
        f"see https://example.org/a.py\n```python\n{CODE}```",
    ],
)
def test_a_block_that_nothing_names_beyond_doubt_is_not_written(answer: str) -> None:
    assert "no line above it says which file it is" in problem(answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"../x.py\n```python\n{CODE}```", "leaves the workspace"),
        (f"/etc/cron.d/x.sh\n```sh\n{CODE}```", "not relative to the workspace"),
        (f"```python:.git/hooks/a.py\n{CODE}```", "inside .git"),
        (f"a\\b.py\n```python\n{CODE}```", "backslash"),
        (f"src/a\u202eb.py\n```python\n{CODE}```", "hidden or control characters"),
        (f"### src/app.py\n```py src/b.py\n{CODE}```", "its fence says src/b.py and the line above says src/app.py"),
        ("src/app.py\n```diff\n-a\n+b\n```", "it is a diff of src/app.py; give the whole file"),
        (f"src/app.py\n```python\n{CODE}# ... rest of the file unchanged\n```", "leaves something out"),
        (f"src/app.py\n```python\n{CODE}    # ... existing code ...\n```", "leaves something out"),
        (f"src/app.js\n```js\n{CODE}// The rest of the code remains the same\n```", "leaves something out"),
        (f"src/app.py\n```python\n...rest of code\n{CODE}```", "leaves something out"),
        (f"src/app.py\n```python\n{CODE}b.py\n```python\n{CODE}```", "its end is in doubt"),
        ("README.md\n```markdown\n# Use\n```sh\npip install\n```\nDone.\n```\n", "its end is in doubt"),
    ],
)  # fmt: skip
def test_what_is_in_doubt_or_hostile_is_refused_with_words(answer: str, said: str) -> None:
    found = files_in_answer(answer)
    assert found.files == ()
    assert said in "\n".join(found.problems)


def test_a_markdown_file_that_may_have_ended_early_is_refused() -> None:
    found = files_in_answer("README.md\n```\n# Use\n```\npip install\n```\nDone.\n```\n")
    assert found.files == ()
    assert "README.md may hold fences like its own" in found.problems[0]


def test_a_file_given_twice_with_different_content_is_not_written_at_all() -> None:
    assert "a.py was not written: it was given more than once" in problem("a.py\n```\nx\n```\na.py\n```\ny\n```")


def test_the_last_block_of_a_cut_answer_is_dropped_and_the_others_stay() -> None:
    found = files_in_answer(f"a.py\n```python\n{CODE}```\nb.py\n```python\ndef g", cut=True)
    assert found.files == (("a.py", CODE),)
    assert "the answer was cut before the end of b.py" in found.problems[0]


def test_an_answer_without_blocks_says_so() -> None:
    assert problem("I cannot do that.") == "The answer held no fenced block, so no file was written."
    assert problem("<think>src/app.py\n```\nx\n```") == "The answer held no fenced block, so no file was written."


def test_too_many_files_are_not_written() -> None:
    answer = "".join(f"f{number}.py\n```\nx\n```\n" for number in range(51))
    assert problem(answer) == "Nothing was written: more than 50 files were given"


def test_a_word_about_the_rest_inside_code_is_no_elision() -> None:
    code = 'x = "... existing"  # the rest of the file\nprint(...)\nother = [*rest]\n'
    assert only_file(f"a.py\n```python\n{code}```") == ("a.py", code)


def test_the_instructions_are_an_example_that_is_read_as_they_say() -> None:
    assert files_in_answer(text_instructions()).files == (("src/example.py", "the whole file\n"),)


PIECES = ["```", "```python", "````", "~~~", "src/a.py", "### b.py", "`c.py`:", "x = 1", "", "../x.py",
          "```python d.py", "# e.py", "Here is the updated `f.py`:", "    ```", "<think>", "</think>"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=30))
def test_any_answer_gives_safe_paths_each_once(lines: list[str]) -> None:
    found = files_in_answer("\n".join(lines))
    paths = [path for path, _ in found.files]
    assert len(set(paths)) == len(paths)
    assert [tree_path(path) for path in paths] == paths
    assert all(not content or content.endswith("\n") for _, content in found.files)


@given(st.text(alphabet="ab `\n#.~", max_size=200), st.integers(0, 3))
def test_a_file_in_a_longer_fence_comes_back_unchanged(content: str, extra: int) -> None:
    whole = content if content.endswith("\n") or not content else content + "\n"
    runs = max((len(run) for run in content.replace("\n", " ").split(" ") if set(run) == {"`"}), default=0)
    fence = "`" * (max(3, content.count("`") + 1, runs + 1) + extra)
    assert files_in_answer(f"src/a.py\n{fence}python\n{whole}{fence}\n").files == (("src/a.py", whole),)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "answer",
    [
        "`" * 500_000,
        "```\n" * 150_000,
        " " * 500_000 + "(new",
        "a.py\n```x" + " file=" * 90_000,
        "`a.py" * 100_000 + "\n```\n",
    ],
)
def test_no_answer_makes_reading_slow(answer: str) -> None:
    assert files_in_answer(answer, cut=True).files == ()
