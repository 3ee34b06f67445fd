"""Splitting a Markdown file into front matter and body, and YAML into nodes that know their lines, safely.

YAML is only composed, never constructed: no value is interpreted by YAML's own rules (where ``no`` is false and
``1:30`` is ninety), and limits hold while the input is read, so that no bomb is ever built.
"""

from __future__ import annotations

import yaml

from thirdshift.core.findings import Findings
from thirdshift.core.frozen import Frozen
from thirdshift.core.text import has_hidden, one_line

MAX_FILE_BYTES = 1 << 20
MAX_FRONT_MATTER_BYTES = 64 << 10
MAX_DEPTH = 8
MAX_NODES = 6000
_DELIMITER = "---"


class SplitFile(Frozen):
    """A file's two parts. Lines count from 1 in the file; the front matter begins on line 2."""

    front_matter: str
    body: str
    body_line: int
    """The line on which the body begins."""


def decode_file(source: bytes | str, findings: Findings) -> str | None:
    """The text with its line ends as newlines and without a byte order mark; None where it is no such text."""
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    if len(data) > MAX_FILE_BYTES:
        findings.add(1, f"the file has more than 1 MiB ({MAX_FILE_BYTES} bytes), the most that is read: shorten it")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.add(line, f"byte {error.start} is not UTF-8; save the file in UTF-8")
        return None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def split_file(text: str, findings: Findings) -> SplitFile | None:
    """Front matter and body; None, with a finding, where there is no front matter or it does not end."""
    lines = text.split("\n")
    if lines[0].rstrip() != _DELIMITER:
        findings.add(1, "no front matter: begin the file with a line `---`, the fields, and another line `---`")
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _DELIMITER), None)
    if end is None:
        findings.add(1, "the front matter is not closed: end it with a line `---` before the text")
        return None
    front = "\n".join(lines[1:end])
    if len(front.encode()) > MAX_FRONT_MATTER_BYTES:
        findings.add(1, f"the front matter is larger than {MAX_FRONT_MATTER_BYTES >> 10} KiB: shorten it")
        return None
    return SplitFile(front_matter=front, body="\n".join(lines[end + 1 :]), body_line=end + 2)


def line_of(node: yaml.Node) -> int:
    """The line of the file on which a node begins."""
    return int(node.start_mark.line) + 1


def compose(front_matter: str, findings: Findings) -> yaml.MappingNode | None:
    """The top mapping of the front matter; None, with findings, where there is none."""
    if not _plain_characters(front_matter, findings):
        return None
    # The empty line stands for the opening `---`, so that YAML counts lines as the file does.
    composer = _BoundedComposer("\n" + front_matter)
    try:
        node = composer.get_single_node()
    except _YamlRefused as refused:
        findings.add(refused.line, refused.message)
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        findings.add(mark.line + 1 if mark else 1, _explained(error))
        return None
    finally:
        composer.dispose()
    if node is None:
        findings.add(1, "the front matter is empty: give at least `title` and `checks`")
        return None
    if not isinstance(node, yaml.MappingNode):
        findings.add(line_of(node), "the front matter must be fields, one a line, like `title: Round totals`")
        return None
    return node


def _plain_characters(front_matter: str, findings: Findings) -> bool:
    plain = True
    for number, line in enumerate(front_matter.split("\n"), 2):
        if "\t" in line:
            findings.add(number, "a tab character; front matter is indented with spaces: replace it")
            plain = False
        if has_hidden(line):
            findings.add(number, f"hidden or control characters: remove them from {one_line(line, 60)}")
            plain = False
    return plain


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = one_line(error.problem or error.context or "it cannot be read", 120)
    return f"not valid YAML: {problem}; quote values that hold `: ` or ` #`, or begin with one of [ {{ * & ! % @ `"


class _YamlRefused(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _BoundedComposer(yaml.SafeLoader):
    """Composes nodes and refuses what front matter has no use for, before it is read any further."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it untyped
        line = event.start_mark.line + 1
        self._nodes += 1
        self._depth += 1
        if isinstance(event, yaml.AliasEvent):
            raise _YamlRefused(line, f"alias `*{one_line(event.anchor or '', 40)}`: write the value out again")
        if event.anchor is not None:
            raise _YamlRefused(line, f"anchor `&{one_line(event.anchor, 40)}`: remove it and write values out")
        if event.tag is not None:
            raise _YamlRefused(line, f"tag `{one_line(event.tag, 40)}`: quote the value, or remove the tag")
        if self._depth > MAX_DEPTH:
            raise _YamlRefused(line, f"nested more than {MAX_DEPTH} deep: no field needs that")
        if self._nodes > MAX_NODES:
            raise _YamlRefused(line, f"more than {MAX_NODES} values in the front matter: split the spec")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node
