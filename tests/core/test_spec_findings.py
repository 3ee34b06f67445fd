from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.spec_files import BODY, CHECKS, findings_of, spec_file
from thirdshift.core.errors import SpecInvalid
from thirdshift.core.spec_text import parse_spec


@pytest.mark.parametrize(
    ("field", "finding"),
    [
        ("buget: {}", "5: unknown field `buget`; did you mean `budget`?"),
        ("budget: {max_atempts: 3}", "5: unknown field `max_atempts` in `budget`; did you mean `max_attempts`?"),
        ("max_steps: 3", "5: unknown field `max_steps`; it belongs under `budget`"),
        ("scope: {read: [a], write: [b]}", "5: unknown field `read` in `scope`; known here: write"),
        ("task: bugfx", "5: `task`: `bugfx` is not known; did you mean `bugfix`?"),
        ("risk: High", "5: `risk`: `High` is not known; did you mean `high`?"),
        ("risk: soso", "5: `risk`: `soso` is not known; it is one of low, medium, high"),
        ("deliver: pull_request", "5: `deliver`: `pull_request` is not known; did you mean `pull-request`?"),
        ("gates: merge", "5: `gates`: must be a list, like [a, b] or lines that begin with `- `"),
        ("gates: [merge, merge]", "5: `gates`: `merge` is there twice; remove one"),
        ("setup:", "5: `setup`: is empty; give text, or remove the line"),
        ("setup: [a]", "5: `setup`: must be text, not a list"),
        ("base: {a: 1}", "5: `base`: must be text, not fields"),
        ("base: --upload-pack=x", "5: `base`: `--upload-pack=x` begins with a dash, "
         "as an option would; give a plain value"),
        ("budget: 5", "5: `budget`: must be fields, like {max_budget_usd: ...}; known: "
         "max_budget_usd, max_attempts, max_steps, max_wall"),
        ("budget: {max_wall: 45}", "5: `budget.max_wall`: `45` is not a duration; "
         "write it with its unit, like 5m, 90s or 1h30m"),
        ("budget: {max_wall: 1:30}", "5: `budget.max_wall`: `1:30` is not a duration; "
         "write it with its unit, like 5m, 90s or 1h30m"),
        ("budget: {max_wall: 0s}", "5: `budget.max_wall`: `0s` must be more than 0 and at most 168h"),
        ("budget: {max_wall: 169h}", "5: `budget.max_wall`: `169h` must be more than 0 and at most 168h"),
        ("budget: {max_budget_usd: $5}", "5: `budget.max_budget_usd`: `$5` is not an amount; "
         "write US dollars in digits, like 1.50"),
        ("budget: {max_budget_usd: 1e3}", "5: `budget.max_budget_usd`: `1e3` is not an amount; "
         "write US dollars in digits, like 1.50"),
        ("budget: {max_budget_usd: -1}", "5: `budget.max_budget_usd`: `-1` is not an amount; "
         "write US dollars in digits, like 1.50"),
        ("budget: {max_budget_usd: 1_000}", "5: `budget.max_budget_usd`: `1_000` is not an amount; "
         "write US dollars in digits, like 1.50"),
        ("budget: {max_budget_usd: .inf}", "5: `budget.max_budget_usd`: `.inf` is not an amount; "
         "write US dollars in digits, like 1.50"),
        ("priority: 101", "5: `priority`: `101` must be a whole number from -100 to 100"),
        ("priority: high", "5: `priority`: `high` must be a whole number from -100 to 100"),
        ("budget: {max_attempts: -1}", "5: `budget.max_attempts`: `-1` must be a whole number from 1 to 100"),
        ("budget: {max_attempts: 0}", "5: `budget.max_attempts`: `0` must be a whole number from 1 to 100"),
        ("budget: {max_attempts: many}", "5: `budget.max_attempts`: `many` must be a whole number from 1 to 100"),
        ("title: Again", "5: `title` is there twice; remove one"),
        ("budget: {max_steps: 1, max_steps: 2}", "5: `budget.max_steps` is there twice; remove one"),
        ("scope: {write: [/etc/x]}", "5: `scope.write`: `/etc/x` is absolute; "
         "write it relative to the repository, like src/**"),
        ("scope: {write: ['C:/x']}", "5: `scope.write`: `C:/x` is absolute; "
         "write it relative to the repository, like src/**"),
        ("scope: {write: [a/../b]}", "5: `scope.write`: `a/../b` leaves the repository: '..' is not allowed"),
        ("scope: {write: ['src\\**']}", "5: `scope.write`: `src\\**` holds a backslash; separate the parts with /"),
        ("scope: {write: [.git/config]}", "5: `scope.write`: `.git/config` is inside .git, which no change may touch"),
        ("scope: {write: []}", "5: `scope.write` is empty, so nothing may change: name globs, or remove it"),
        ("scope: {}", "5: `scope.write` is missing: globs that a change may touch"),
        ("setup: &a uv sync", "5: anchor `&a`: remove it and write values out"),
        ("setup: *a", "5: alias `*a`: write the value out again"),
        ("setup: !!python/object:os.system x", "5: tag `tag:yaml.org,2002:python/object:os.sy...`: "
         "quote the value, or remove the tag"),
        ("\tsetup: x", "5: a tab character; front matter is indented with spaces: replace it"),
        ("setup: a\x07b", "5: hidden or control characters: remove them from setup: a<U+0007>b"),
        ("setup: a\u202eb", "5: hidden or control characters: remove them from setup: a<U+202E>b"),
        ("? [a]\n: b", "5: unknown field `a list or fields as a name`; known here: title, repo, base, "
         "task, risk, priority, scope, setup, checks, holdout, holdout_dir, budget, gates, deliver, plan, loop, "
         "packets"),
    ],
)  # fmt: skip
def test_a_bad_field_gets_one_message_with_its_line_and_remedy(field: str, finding: str) -> None:
    assert findings_of(spec_file(field)) == [finding]


@pytest.mark.parametrize(
    ("check", "finding"),
    [
        ('{id: u, run: "", covers: [AC-1]}', "4: `checks.run`: is empty; give text, or remove the line"),
        ("{id: u, covers: [AC-1]}", "4: `checks.run` is missing: a shell command; exit 0 is a pass"),
        ("{id: u, rn: x, covers: [AC-1]}", "4: unknown field `rn` in `checks`; did you mean `run`?"),
        ("{run: x, covers: [AC-1]}", "4: `checks.id` is missing: a short name, unique among all checks"),
        ("{id: a b, run: x, covers: [AC-1]}", "4: `checks.id`: `a b` is no id; use up to 40 letters, digits, "
         "dots, dashes or underscores, beginning with a letter or digit"),
        ("{id: u, run: x, covers: AC-1}", "4: `checks.covers`: must be a list, "
         "like [a, b] or lines that begin with `- `"),
        ("{id: u, run: x, covers: [ac1]}", "4: `checks.covers`: `ac1` is no criterion; write it like AC-1"),
        ("{id: u, run: x, covers: [AC-1, AC-7]}", "4: `u` covers AC-7, which is no criterion here; there are AC-1"),
        ("{id: u, run: x, covers: [AC-1], timeout: 5}", "4: `checks.timeout`: `5` is not a duration; "
         "write it with its unit, like 5m, 90s or 1h30m"),
        ("{id: u, run: x, covers: [AC-1], timeout: 25h}", "4: `checks.timeout`: `25h` "
         "must be more than 0 and at most 24h"),
        ("{id: u, run: x, covers: [AC-1], stop_on_fail: yes}", "4: `checks.stop_on_fail`: `yes` must be true or false"),
        ("pytest -q", "4: `checks`: must be fields, like {id: ...}; "
         "known: id, run, covers, timeout, stop_on_fail, report"),
    ],
)  # fmt: skip
def test_a_bad_check_gets_one_message_and_no_complaint_that_follows_from_it(check: str, finding: str) -> None:
    assert findings_of(spec_file(checks=f"checks:\n  - {check}")) == [finding]


def test_check_ids_are_unique_among_visible_and_held_out_ones() -> None:
    found = findings_of(spec_file("holdout: [{id: unit, run: x}]"))
    assert found == ["5: check id `unit` is used twice, first on line 4: rename one"]


@pytest.mark.parametrize("checks", ["", "checks: []"])
def test_a_spec_without_checks_is_refused(checks: str) -> None:
    body = "# Goal\nX\n# Acceptance\n- AC-1 (by: review): It shall."
    [finding] = findings_of(spec_file(checks=checks, body=body))
    assert "no checks: a spec needs one at least" in finding


@pytest.mark.parametrize(
    ("packets", "finding"),
    [
        ("[{id: a, covers: [AC-1], needs: [b]}, {id: b, covers: [AC-1], needs: [a]}]",
         "5: packets need one another in a circle: a -> b -> a; remove one need"),
        ("[{id: a, covers: [AC-1], needs: [a]}]",
         "5: packets need one another in a circle: a -> a; remove one need"),
        ("[{id: a, covers: [AC-1], needs: [zz]}]", "5: packet `a` needs `zz`, which is no packet here; there are a"),
        ("[{id: a, covers: []}, {id: b, covers: [AC-1]}]",
         "5: packet `a` covers no criterion: name some, or remove it"),
        ("[{id: a, covers: [AC-1]}, {id: a, covers: [AC-1]}]",
         "5: packet id `a` is used twice, first on line 5: rename one"),
        ("[{id: a, covers: [AC-1, AC-5]}]", "5: `a` covers AC-5, which is no criterion here; there are AC-1"),
    ],
)  # fmt: skip
def test_packets_are_checked_against_one_another(packets: str, finding: str) -> None:
    assert findings_of(spec_file(f"packets: {packets}")) == [finding]


def test_a_long_circle_is_named_once_from_end_to_end() -> None:
    packets = "".join(f"\n  - {{id: p{i}, covers: [AC-1], needs: [p{(i + 1) % 4}]}}" for i in range(4))
    [finding] = findings_of(spec_file(f"packets:{packets}"))
    assert "p0 -> p1 -> p2 -> p3 -> p0" in finding


def test_a_criterion_in_no_packet_is_found_at_its_line() -> None:
    body = f"{BODY}\n- AC-2 (by: review): x"
    found = findings_of(spec_file("packets: [{id: a, covers: [AC-1]}]", body=body))
    assert found == ["12: criterion AC-2 is in no packet: add it to a packet's `covers`"]


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("# Goals\nX\n# Acceptance\n- AC-1: x", "6: no heading `# Goal` (there is `Goals`): add it"),
        ("# Goal\nX", "6: no heading `# Acceptance`: add it"),
        ("# Goal\n\n# Acceptance\n- AC-1: x", "6: the section Goal is empty: say there what to build"),
        ("# Goal\nX\n# Goal\nY\n# Acceptance\n- AC-1: x", "8: a second heading `# Goal`: join the two sections"),
        ("# Goal\nX\n# Acceptance\nNothing.",
         "8: no criteria: list them below Acceptance, like `- AC-1: When ..., it shall ...`"),
        ("# Goal\nX\n# Acceptance\n- AC-1: x\n- AC-1: y",
         "10: criterion AC-1 is there twice, first on line 9: renumber it"),
        ("# Goal\nX\n# Acceptance\n- AC-1: x\n- AC-2: y",
         "10: criterion AC-2 is covered by no check: add it to a check's `covers`, "
         "or write `- AC-2 (by: review): ...`"),
        ("# Goal\nX\n# Acceptance\n- AC-1: x\n- It shall",
         "10: not a criterion: `It shall`; write `- AC-2: ...` or `- AC-2 (by: review): ...`"),
        ("# Goal\nX\n# Acceptance\n- AC-1: x\n- AC-2 (by: bob): y",
         "10: criterion AC-2: `by: bob` is not known; it can only be `by: review`"),
        ("# Goal\nX\n# Acceptance\n- AC-1:", "9: criterion AC-1 says nothing: "
         "write what shall be true after its colon"),
        ("# Goal\nX\n```\n# Acceptance\n- AC-1: x",
         "6: no heading `# Acceptance`: add it"),
    ],
)  # fmt: skip
def test_a_bad_body_gets_a_message_with_its_line_in_the_file(body: str, finding: str) -> None:
    assert finding in findings_of(spec_file(body=body))


def test_a_fence_that_swallows_the_rest_is_said() -> None:
    body = "# Goal\nX\n```\n# Acceptance\n- AC-1: x"
    assert any("8: a code fence that is never closed" in finding for finding in findings_of(spec_file(body=body)))


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("", "1: no front matter: begin the file with a line `---`, the fields, and another line `---`"),
        ("# Goal\n", "1: no front matter: begin the file with a line `---`, the fields, and another line `---`"),
        ("---\ntitle: x\n", "1: the front matter is not closed: end it with a line `---` before the text"),
        (b"---\ntitle: x\xff\n---\n", "2: byte 12 is not UTF-8; save the file in UTF-8"),
        (b"\xff\xfe-\x00-\x00-\x00", "1: byte 0 is not UTF-8; save the file in UTF-8"),
        ("x" * 2_000_000, "1: the file has more than 1 MiB (1048576 bytes), the most that is read: shorten it"),
    ],
)
def test_a_file_that_is_no_spec_gets_one_message(source: str | bytes, finding: str) -> None:
    assert findings_of(source) == [finding]


@pytest.mark.parametrize(
    ("front", "finding"),
    [
        ("", "1: the front matter is empty: give at least `title` and `checks`"),
        ("- a\n- b", "2: the front matter must be fields, one a line, like `title: Round totals`"),
        ("just words", "2: the front matter must be fields, one a line, like `title: Round totals`"),
        ("title: Round: half up", "2: not valid YAML: mapping values are not allowed here; quote values that hold `: ` "
         "or ` #`, or begin with one of [ { * & ! % @ `"),
        ("title: x\nchecks: [a", "3: not valid YAML: expected ',' or ']', but got '<stream end>'; quote values "
         "that hold `: ` or ` #`, or begin with one of [ { * & ! % @ `"),
    ],
)  # fmt: skip
def test_front_matter_that_is_no_mapping_gets_one_message(front: str, finding: str) -> None:
    found = findings_of(f"---\n{front}\n---\n{BODY}\n")
    assert len(found) == 1
    assert found[0].partition(": ")[2] == finding.partition(": ")[2]


def test_line_numbers_count_windows_line_ends_once_and_ignore_a_byte_order_mark() -> None:
    source = b"\xef\xbb\xbf" + spec_file("buget: {}", body=f"{BODY}\n- nothing").replace("\n", "\r\n").encode()
    assert [finding.partition(":")[0] for finding in findings_of(source)] == ["5", "12"]


def test_all_findings_come_at_once_in_the_order_of_their_lines() -> None:
    source = spec_file(
        "rsk: low", "task: nothing", "budget: {max_wall: 5}", body="# Goal\n\n# Acceptance\n- x", title=""
    )
    lines = [int(finding.partition(":")[0]) for finding in findings_of(source)]
    assert lines == sorted(lines)
    assert len(lines) == 6


def test_no_more_than_fifty_findings_are_spelled_out() -> None:
    found = findings_of(spec_file(*(f"field{number}: 1" for number in range(200))))
    assert len(found) == 51
    assert found[-1].strip() == "and 150 more findings"


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (spec_file(checks="checks:" + "".join(f"\n- {{id: c{i}, run: x, covers: [AC-1]}}" for i in range(41))),
         "`checks`: has 41 entries; at most 40 are allowed"),
        (spec_file(body="# Goal\nX\n# Acceptance" + "".join(f"\n- AC-{i}: x" for i in range(101))),
         "101 criteria; at most 100 are allowed: split the spec"),
        (spec_file("packets:" + "".join(f"\n- {{id: p{i}, covers: [AC-1]}}" for i in range(31))),
         "`packets`: has 31 entries; at most 30 are allowed"),
        (spec_file(title=f"title: {'x' * 201}"), "`title`: has 201 characters; at most 200 are allowed"),
        (spec_file(body=f"{BODY} {'x' * 2000}"), "criterion AC-1 has 2016 characters; at most 2000: split it"),
    ],
)  # fmt: skip
def test_sizes_are_bounded(source: str, finding: str) -> None:
    [found] = findings_of(source)
    assert finding in found


def test_hostile_names_in_a_finding_are_made_visible_and_short() -> None:
    [finding] = findings_of(spec_file(f'"{"x" * 5000}": 1'))
    assert len(finding) < 400
    with pytest.raises(SpecInvalid) as refused:
        parse_spec("", "spec\x1b[2J.md")
    assert "\x1b" not in str(refused.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_spec_or_refused_with_words(data: bytes) -> None:
    with pytest.raises(SpecInvalid, match=r"^spec\.md:\d+: "):
        parse_spec(data, "spec.md")


@given(st.text(alphabet=st.sampled_from(list("abc:-[]{}#&*!|>'\"%@` \n,?1")), max_size=120))
def test_any_front_matter_is_read_or_refused_with_words(front: str) -> None:
    with pytest.raises(SpecInvalid, match=r"^spec\.md:\d+: "):
        parse_spec(f"---\n{front}\n---\n{BODY}\n", "spec.md")


@given(st.text(max_size=300))
def test_any_body_is_read_or_refused_with_words(body: str) -> None:
    source = f"---\ntitle: x\n{CHECKS}\n---\n{body}"
    said = ""
    try:
        criteria = [c.id for c in parse_spec(source, "spec.md").criteria]
    except SpecInvalid as refused:
        criteria, said = [], str(refused)
    assert criteria == ["AC-1"] or said.startswith("spec.md:")
