"""The protocol for models that make no tool calls: they answer with whole files in fenced blocks.

Small models make messes, so much is forgiven in how a block is labelled; but a block whose file or whose end is in
doubt is not written at all, and the problem says why.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from thirdshift.core.frozen import Frozen
from thirdshift.core.relevant_files import relevant_files
from thirdshift.core.text import one_line
from thirdshift.core.text_labels import AmbiguousLabel, path_of_block
from thirdshift.core.thoughts import without_thoughts
from thirdshift.core.tree_path import TreePathRefused, tree_path

__all__ = ["TextAnswer", "files_in_answer", "relevant_files", "text_instructions"]

MAX_FILES = 50
MAX_FILE_CHARACTERS = 1_000_000
_OPENING = re.compile(r"(?P<indent> {0,12})(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)")
_MARKDOWN = (".md", ".markdown", ".mdx", ".rst", ".txt")
_NO_FILES = frozenset({"diff", "patch", "udiff"})
_ELISION = re.compile(
    r"(?i)(?:#+|//+|/\*+|<!--|--|;+|%|\*)? {0,4}[\[({]?(?:\.{3}|\u2026) {0,4}(?:\(|\[)?(?:the |your |all )?"
    r"(?:rest|existing|remaining|unchanged|same|previous|other|original)\b.{0,80}"
    r"|(?:#+|//+|/\*+|<!--|--|;+|%) {0,4}(?:\(|\[)?(?:the )?(?:rest|remainder) of (?:the |this |your )?"
    r"(?:file|code|class|function|module|implementation|content|methods?|functions?|tests?)\b.{0,60}"
)


class TextAnswer(Frozen):
    """The files of an answer, and what of it was not used and why, one sentence each, for the model."""

    files: tuple[tuple[str, str], ...]
    """Path and whole content of each."""
    problems: tuple[str, ...]


@dataclass
class _Block:
    line: int
    indent: int
    fence: str
    info: str
    above: list[str]
    content: list[str]
    closed: bool = False
    inner_opening: bool = False
    """Whether a line inside opens a fence that this one's length does not keep apart from its own end."""


def text_instructions() -> str:
    """How to answer, for the system prompt."""
    return (
        "You have no tools and cannot run anything. Answer once, with the whole new content of every file that you "
        "change or create, each in a fenced block with its path alone on the line above:\n"
        "\n"
        "src/example.py\n"
        "```python\n"
        "the whole file\n"
        "```\n"
        "\n"
        "- Paths are relative to the repository. Give each file once. A file that you do not give stays as it is.\n"
        '- Give whole files: no diffs, and no remarks such as "rest unchanged" in place of content.\n'
        "- If a file holds a line of backticks, use a fence longer than any in it.\n"
        "- A block without a path above it is not used. Words between the blocks are not used either: keep them few."
    )


def files_in_answer(text: str, known: Collection[str] = (), *, cut: bool = False) -> TextAnswer:
    """The files of an answer.

    ``known`` are the paths of the tree, which helps to recognise labels. ``cut`` says that the answer stopped at
    its token limit: its last block, if it is not closed, is then dropped; otherwise a missing last fence is
    forgiven. Paths are checked by ``core.tree_path``; content ends with a newline and has no carriage returns.
    """
    blocks = _blocks(without_thoughts(text).replace("\r\n", "\n").replace("\r", "\n"))
    given: dict[str, set[str]] = {}
    problems: list[str] = []
    for index, block in enumerate(blocks):
        after = blocks[index + 1] if index + 1 < len(blocks) else None
        try:
            path, content = _file_of(block, after, known, cut=cut)
        except _NotUsed as reason:
            problems.append(f"The block on line {block.line} was not used: {reason}")
            continue
        given.setdefault(path, set()).add(content)
    files = [(path, next(iter(contents))) for path, contents in given.items() if len(contents) == 1]
    problems += [
        f"{path} was not written: it was given more than once, with different content; give each file once"
        for path, contents in given.items()
        if len(contents) > 1
    ]
    if len(files) > MAX_FILES:
        return TextAnswer(
            files=(), problems=(*problems, f"Nothing was written: more than {MAX_FILES} files were given")
        )
    if not blocks:
        problems.append("The answer held no fenced block, so no file was written.")
    return TextAnswer(files=tuple(files), problems=tuple(problems))


class _NotUsed(Exception):
    """Why a block is no file."""


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    above: list[str] = []
    block: _Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if block is None:
            opening = _OPENING.fullmatch(line)
            if opening is None:
                above.append(line)
                continue
            indent, fence = len(opening["indent"]), opening["fence"]
            block = _Block(number, indent, fence, opening["info"].strip(), above, [])
            blocks.append(block)
            above = []
        elif _closes(line, block):
            block.closed = True
            block = None
        else:
            inner = _OPENING.fullmatch(line)
            block.inner_opening = block.inner_opening or bool(inner and _could_be_its_own(inner, block))
            block.content.append(_unindented(line, block.indent))
    return blocks


def _closes(line: str, block: _Block) -> bool:
    stripped = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return stripped.startswith(block.fence) and not stripped.strip(block.fence[0]) and indent <= block.indent + 3


def _could_be_its_own(inner: re.Match[str], block: _Block) -> bool:
    """Whether a line inside opens a block, so that the next closing line may be that one's."""
    own_kind = inner["fence"].startswith(block.fence) and len(inner["indent"]) <= block.indent + 3
    return own_kind and bool(inner["info"].strip())


def _unindented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _file_of(block: _Block, after: _Block | None, known: Collection[str], *, cut: bool) -> tuple[str, str]:
    """The file that a block is. Raises _NotUsed."""
    language = block.info.split()[0].casefold() if block.info else ""
    try:
        label, first_line_is_label = path_of_block(block.info, block.above[-12:], block.content, known)
    except AmbiguousLabel as twice:
        raise _NotUsed(f"{one_line(str(twice), 200)}; name one file") from None
    if label is None:
        raise _NotUsed("no line above it says which file it is; put the path alone on the line above")
    try:
        path = tree_path(label)
    except TreePathRefused as refused:
        raise _NotUsed(str(refused)) from None
    if language in _NO_FILES and not path.endswith((".diff", ".patch")):
        raise _NotUsed(f"it is a diff of {path}; give the whole file")
    if not block.closed and cut:
        raise _NotUsed(f"the answer was cut before the end of {path}; answer more briefly")
    if block.inner_opening:
        raise _NotUsed(f"{path} holds a fence like its own, so its end is in doubt; use a longer fence around it")
    if path.casefold().endswith(_MARKDOWN) and after is not None and not after.info and not _labelled(after, known):
        raise _NotUsed(f"{path} may hold fences like its own, so its end is in doubt; use a longer fence around it")
    lines = block.content[1:] if first_line_is_label else block.content
    if elided := next((line for line in lines if len(line) < 300 and _ELISION.fullmatch(line.strip())), None):
        raise _NotUsed(f"{path} leaves something out (`{one_line(elided, 60)}`); give the whole file")
    content = "\n".join(lines) + ("\n" if lines else "")
    if len(content) > MAX_FILE_CHARACTERS:
        raise _NotUsed(f"{path} is longer than {MAX_FILE_CHARACTERS} characters")
    return path, content


def _labelled(block: _Block, known: Collection[str]) -> bool:
    try:
        return path_of_block(block.info, block.above[-12:], block.content, known)[0] is not None
    except AmbiguousLabel:
        return True
