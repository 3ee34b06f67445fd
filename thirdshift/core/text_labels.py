"""Which file a fenced block of an answer is meant to be: read from its info string and from the lines above it.

A block is a file only when that is beyond doubt. Models also show old code, usage and output in blocks, and name
files in the sentences around them; such a block must never overwrite a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "python": (".py", ".pyi"),
    "py": (".py", ".pyi"),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "js": (".js", ".mjs", ".cjs", ".jsx"),
    "jsx": (".jsx", ".js"),
    "typescript": (".ts", ".tsx", ".mts"),
    "ts": (".ts", ".tsx", ".mts"),
    "tsx": (".tsx", ".ts"),
    "html": (".html", ".htm"),
    "yaml": (".yaml", ".yml"),
    "yml": (".yaml", ".yml"),
    "markdown": (".md", ".markdown"),
    "md": (".md", ".markdown"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "golang": (".go",),
    "csharp": (".cs",),
    "cs": (".cs",),
    "c++": (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".h"),
    "cpp": (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".h"),
    "c": (".c", ".h"),
    "kotlin": (".kt", ".kts"),
}
_BARE_NAMES = frozenset(
    {
        "Makefile",
        "Dockerfile",
        "LICENSE",
        "README",
        "CHANGELOG",
        "Procfile",
        "Gemfile",
        "Rakefile",
        "Justfile",
        "NOTICE",
    }
)
_LANGUAGES_LIKE_FILES = frozenset({"asp.net", "vb.net", "node.js"})
_FILE_NAME = re.compile(r"\.?[\w@+-][\w@+.-]{0,200}\.[A-Za-z]\w{0,9}|\.[A-Za-z][\w.-]{1,60}")
_NAME_BELOW = re.compile(r"[^\s`\"'<>|*?:]{1,255}\.[A-Za-z]\w{0,9}|\.[A-Za-z][\w.-]{1,60}")
_LONGEST_LABEL = 1024
_LONGEST_LINE = 2000
"""Longer lines name no file; looking at them would only take time."""
_KEYED = re.compile(r"(?i)(?:title|file|filename|path|name)\s{0,3}[=:]\s{0,3}[\"'`]?([^\"'`{}\s]{1,1024})")
_LEADERS = re.compile(
    r"(?i)(?:#{1,6} +|[-*+] +|\d{1,3}[.)] +|>+ *|(?:\w{1,12} )?(?:file ?name|file ?path|file|path) *: *)"
)
_REMARK = re.compile(
    r"(?i) *\((?:new|new file|updated?|modified|changed|full|complete|unchanged|created?)[^()]{0,30}\)$"
)
_GIVES = re.compile(
    r"(?i)\b(?:updated?|modified|complete|full|whole|new|final|fixed|corrected|revised|rewritten|contents?)\b"
)
_SHOWS = re.compile(
    r"(?i)\b(?:original|old|current(?:ly)?|before|previous(?:ly)?|usage|example|use|using|run|call|test it|output|"
    r"prints?|import|diff|snippet|lines?|part|section|function|method|instead)\b"
)
_COMMENT = re.compile(r"(?:#|//|--|;+|%|/\*|<!--)[ \t]{0,4}(?P<path>\S{1,1024})[ \t]{0,4}(?:\*/|-->)?")


class AmbiguousLabel(ValueError):
    """Two different paths lay claim to one block; the text says which."""


def path_of_block(
    info: str, above: Sequence[str], content: Sequence[str], known: Collection[str]
) -> tuple[str | None, bool]:
    """The path that a block is labelled with, as written, and whether its first line is that label.

    ``above`` are the lines between the block and the one before it; ``known`` are paths that exist. None where
    nothing says beyond doubt which file it is. Raises AmbiguousLabel when two labels disagree.
    """
    language, in_info = _read_info(info, known)
    over = _path_above(above, language, known)
    if in_info and over and _plain(in_info) != _plain(over):
        raise AmbiguousLabel(f"its fence says {in_info} and the line above says {over}")
    found = in_info or over
    if found:
        return found, False
    first = content[0].strip() if content else ""
    comment = _COMMENT.fullmatch(first)
    if comment and len(content) > 1 and _fits(language, comment["path"]) and _like_path(comment["path"], known):
        return comment["path"], True
    return None, False


def _plain(path: str) -> str:
    return path.removeprefix("/workspace/").removeprefix("./")


def _like_path(text: str, known: Collection[str]) -> bool:
    """Whether the text is a path rather than a word, a version or "before/after"."""
    # Windows spelling is recognised as a path, so that it is refused with the right words.
    path = _plain(text).replace("\\", "/")
    if path in known or path in _BARE_NAMES:
        return True
    if len(text) > _LONGEST_LABEL or "://" in text or any(character.isspace() for character in text):
        return False
    directory, slash, name = path.rpartition("/")
    if not slash:
        return _FILE_NAME.fullmatch(name) is not None
    if name in _BARE_NAMES or _NAME_BELOW.fullmatch(name):
        return True
    return bool(name and directory) and any(other.startswith(f"{directory}/") for other in known)


def _read_info(info: str, known: Collection[str]) -> tuple[str, str | None]:
    """Language and path of an info string such as ``python src/a.py``, ``python:src/a.py`` or ``src/a.py``."""
    words = info.split() if len(info) <= _LONGEST_LINE else []
    if not words:
        return "", None
    keyed = _KEYED.search(info)
    language, colon, rest = words[0].partition(":")
    if keyed:
        return language.strip("{}.").casefold(), keyed[1]
    if colon and _like_path(rest, known):
        return language.casefold(), rest
    if len(words) == 1:
        alone = _like_path(words[0], known) and words[0].casefold() not in _LANGUAGES_LIKE_FILES
        # Dockerfile and Makefile are languages as well as names: alone in an info string they are the language.
        return ("", words[0]) if alone and words[0] not in _BARE_NAMES else (words[0].casefold(), None)
    paths = [word.strip("`\"'()") for word in words[1:] if _like_path(word.strip("`\"'()"), known)]
    return words[0].casefold(), paths[0] if len(paths) == 1 else None


def _path_above(above: Sequence[str], language: str, known: Collection[str]) -> str | None:
    lines = [line.strip() for line in above if line.strip()]
    if not lines or any(len(line) > _LONGEST_LINE for line in lines):
        return None
    nearest = pure_label(lines[-1], known)
    if nearest:
        return nearest
    named = _named_in_sentence(lines[-1], language, known)
    if named:
        return named
    # A heading that is a path, then a few words about the change, then the block.
    for line in reversed(lines[-5:-1]):
        heading = pure_label(line, known) if line.startswith(("#", "**", "`")) else None
        if heading:
            talk = " ".join(lines[lines.index(line) + 1 :])
            return heading if _fits(language, heading) and not _SHOWS.search(talk) else None
    return None


def pure_label(line: str, known: Collection[str]) -> str | None:
    """The path of a line that is nothing but a path, with or without heading, bold, backticks and colon."""
    text = line.strip()
    for _ in range(6):
        before = text
        leader = _LEADERS.match(text)
        if leader:
            text = text[leader.end() :]
        text = _REMARK.sub("", text.strip().strip("*`\"'").strip())
        text = text.removesuffix(":").strip()
        if text == before:
            break
    return text if _like_path(text, known) else None


def _named_in_sentence(line: str, language: str, known: Collection[str]) -> str | None:
    """The one path in a sentence that announces a whole file, such as "Here is the updated `src/a.py`:"."""
    if not _GIVES.search(line) or _SHOWS.search(line):
        return None
    quoted = {word for word in re.findall(r"`([^`\s]{1,1024})`", line) if _like_path(word, known)}
    words = {word.strip(".,:;()*\"'") for word in line.split()}
    paths = quoted or {word for word in words if _plain(word) in known or ("/" in word and _like_path(word, known))}
    if len(paths) != 1:
        return None
    path = paths.pop()
    return path if _fits(language, path) else None


def _fits(language: str, path: str) -> bool:
    """Whether a block of this language can be that file; no language fits nothing."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    extension = f".{ending.casefold()}" if stem and dot else ""
    return bool(extension) and extension in _EXTENSIONS.get(language, (f".{language}",))
