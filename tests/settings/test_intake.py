from pathlib import Path

import pytest

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.triage import Work
from thirdshift.settings import Settings, load_settings

INTAKE = """
[intake]
debounce = "10s"
longest_debounce = "2m"
storm_events_per_minute = 30

[[intake.rules]]
name = "ci"
match = {source = "github", kind = "workflow_run.failed", repository = ["acme/*", "other/x"], branch = "main"}
unless = {workflow = "nightly*"}
spec = "templates/fix-ci.md"
then = "job"
budget_usd = "2"
cap_per_day = 5
repo = "../shop"

[[intake.rules]]
name = "alerts"
match = {kind = "alert"}
spec = "/srv/alert.md"
repo = "git@host:team/shop.git"
then = "shift:nightly"
priority = 5

[[intake.rules]]
name = "merges"
match = {kind = "push"}
then = "outcomes"

[[intake.rules]]
name = "rest"
then = "ignore"
"""


def load(root: Path, text: str, **environ: str) -> Settings:
    (root / "thirdshift.toml").write_text(text)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root / "home"), "USER": "me", **environ})


def rule(**changed: str) -> str:
    lines = {"name": '"ci"', "spec": '"t.md"', "then": '"job"'} | changed
    return "[[intake.rules]]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items() if value)


def test_rules_are_read_in_order_and_their_paths_count_from_the_file(tmp_path: Path) -> None:
    intake = load(tmp_path, INTAKE).intake
    assert (intake.debounce_seconds, intake.longest_debounce_seconds) == (10, 120)
    assert intake.terms.storm_events_per_minute == 30
    ci, alerts, merges, rest = intake.terms.rules
    assert ci.match["repository"] == ("acme/*", "other/x")
    assert ci.unless == {"workflow": ("nightly*",)}
    assert (ci.work, ci.budget_nano, ci.cap_per_day) == (Work.JOB, 2_000_000_000, 5)
    assert (ci.template, ci.repo) == (f"{tmp_path}/templates/fix-ci.md", f"{tmp_path}/../shop")
    assert (alerts.work, alerts.shift, alerts.priority, ci.priority) == (Work.SHIFT, "nightly", 5, None)
    assert (alerts.template, alerts.repo) == ("/srv/alert.md", "git@host:team/shop.git")
    assert (merges.work, rest.work, rest.match) == (Work.OUTCOMES, Work.IGNORE, {})


def test_without_rules_there_are_defaults(tmp_path: Path) -> None:
    intake = load(tmp_path, "").intake
    assert (intake.debounce_seconds, intake.longest_debounce_seconds, intake.terms.rules) == (30, 300, ())


def test_the_environment_overrides_a_time(tmp_path: Path) -> None:
    assert load(tmp_path, INTAKE, THIRDSHIFT_INTAKE__DEBOUNCE="1m").intake.debounce_seconds == 60


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (rule(buget_usd='"2"'), "unknown key `buget_usd` in [intake.rules.0]; did you mean `budget_usd`?"),
        ('[intake]\ndebounc = "1s"', "unknown key `debounc` in [intake]; did you mean `debounce`?"),
        ("[intake]\ndebounce = 30", '30 is not a time; write it with its unit, like "30s"'),
        ('[intake]\ndebounce = "0s"', "is not a time"),
        ('[intake]\nlongest_debounce = "5s"', "longest_debounce is shorter than debounce"),
        (rule(match='{repositry = "a"}'), "unknown name `repositry`; did you mean `repository`?"),
        (rule(match="{branch = 1}"), "a pattern is a text"),
        (rule(match='"github"'), "names and patterns are written as"),
        (rule(then='"jobs"'), "'jobs' is nothing to do"),
        (rule(then='"shift"'), "'shift' is nothing to do"),
        (rule(then='"shift:No Such"'), "string should match pattern"),
        (rule(then='"job:x"'), "'job:x' is nothing to do"),
        (rule(spec=""), "needs a template"),
        (rule(then='"ignore"'), "`spec` means nothing with"),
        (rule(then='"outcomes"', spec="", budget_usd='"1"'), "`budget_usd` means nothing with"),
        (rule(priority="101"), "less than or equal to 100"),
        (rule(budget_usd="2"), "money is written as a string"),
        (rule(cap_per_day="0"), "greater than or equal to 1"),
        (rule(name='"C I"'), "string should match pattern"),
        (rule() + "\n" + rule(), "two rules are called `ci`"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(tmp_path, text)
    assert says in str(refused.value)
