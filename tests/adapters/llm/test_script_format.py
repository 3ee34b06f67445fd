from __future__ import annotations

from pathlib import Path

import pytest

from thirdshift.adapters.llm import script_format
from thirdshift.adapters.llm.script_format import load_script, parse_script
from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.ports import StopKind

ROOT = Path(__file__).parents[3]

BAD = [
    ("plays: [{steps: [{say: x}]}]", "version: Field required"),
    ("version: 2\nplays: [{steps: [{say: x}]}]", "version: Input should be 1"),
    ("version: 1\nplays: []", "plays: at least one is needed"),
    ("version: 1\nplays: [{steps: []}]", "plays[0].steps: at least one is needed"),
    ("version: 1\nplays: [{steps: [{sya: x}]}]", "plays[0].steps[0].sya: unknown field; did you mean `say`?"),
    (
        "version: 1\nplays: [{when: {modle: x}, steps: [{}]}]",
        "plays[0].when.modle: unknown field; did you mean `model`?",
    ),
    ("version: 1\nplays: [{when: {step: 0}, steps: [{}]}]", "plays[0].when.step"),
    ("version: 1\nplays: [{when: {matches: '('}, steps: [{}]}]", "plays[0].when.matches: not a regular expression"),
    ("version: 1\nplays: [{steps: [{tools: [bash]}]}]", "plays[0].steps[0].tools[0]: a tool call is one line"),
    ("version: 1\nplays: [{steps: [{tools: [{call: {name: x}}]}]}]", "a tool call has either `input` or `raw`"),
    (
        "version: 1\nplays: [{steps: [{fault: {kind: sad}}]}]",
        "steps[0].fault.kind: Input should be 'rate_limited'",
    ),
    ("version: 1\nplays: [{steps: [{delay_seconds: -1}]}]", "plays[0].steps[0].delay_seconds"),
    ("version: 1\nplays: [{steps: [{usage: {input_tokens: -1}}]}]", "plays[0].steps[0].usage"),
    ("version: [1", "the script is no YAML"),
    ("just a text", "the whole file: Input should be a valid dictionary"),
    ("!!python/object/apply:os.system [ls]", "the script is no YAML"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_a_bad_script_is_refused_with_file_and_field(text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parse_script(text, "demo/play.yaml")
    assert words in str(caught.value)
    assert all(line.startswith("demo/play.yaml: ") for line in str(caught.value).splitlines()[:1])


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parse_script("version: 1\nplays: [{steps: [{sya: x}], repaet: true}]", "play.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_json_is_a_script_as_well() -> None:
    script = parse_script('{"version": 1, "plays": [{"steps": [{"say": "x", "stop": "refusal"}]}]}', "p.json")
    assert script.plays[0].steps[0].stop is StopKind.REFUSAL


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xfa")
    for name in ("latin.yaml", "missing.yaml", "."):
        with pytest.raises(SettingsInvalid, match="the script cannot be read"):
            load_script(tmp_path / name)


def test_a_script_of_absurd_size_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(SettingsInvalid, match="8 MiB at most"):
        load_script(path)


def _example(text: str, indent: int) -> str:
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.strip() == "version: 1")
    block: list[str] = []
    for line in lines[start:]:
        if line.strip() and not line.startswith(" " * indent):
            break
        block.append(line[indent:])
    return "\n".join(block)


def test_the_example_in_the_module_is_a_valid_script() -> None:
    script = parse_script(_example(script_format.__doc__ or "", 4), "docstring")
    assert len(script.plays[0].steps) == 2


def test_every_example_in_the_manual_is_a_valid_script() -> None:
    pieces = (ROOT / "docs" / "scripted-model.md").read_text().split("```yaml\n")[1:]
    scripts = [parse_script(piece.partition("```")[0], "docs/scripted-model.md") for piece in pieces]
    assert len(scripts) >= 3
