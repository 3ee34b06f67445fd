from pathlib import Path

import pytest

from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.gates import GateTerms, OnExpiry
from thirdshift.core.spec import Risk
from thirdshift.settings import Settings, load_settings

GATES = """
[gates]
reviewers = ["ada", "bob"]
separation = true
deadline = "1d12h"
remind_every = "4h"
escalate_to = ["carol"]
on_expiry = "reject"

[[reviewers]]
repository = "pay*"
risk = ["high"]
names = ["dora", "eve"]
needed = 2

[[reviewers]]
repository = "*"
risk = ["medium"]
names = ["fay"]
separation = false
"""


def load(root: Path, text: str, **environ: str) -> Settings:
    (root / "thirdshift.toml").write_text(text)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root / "home"), "USER": "me", **environ})


def terms(root: Path, text: str, repository: str, risk: Risk) -> GateTerms:
    return load(root, text).gate_terms(repository, risk)


def test_the_terms_of_every_gate_are_read_with_their_units(tmp_path: Path) -> None:
    found = terms(tmp_path, GATES, "/srv/tools", Risk.LOW)
    assert found.reviewers == ("ada", "bob")
    assert (found.deadline_seconds, found.remind_every_seconds) == (129_600, 14_400)
    assert (found.separation, found.submitter, found.on_expiry) == (True, "me", OnExpiry.REJECT)


def test_the_first_rule_that_fits_a_job_replaces_what_it_states_and_nothing_else(tmp_path: Path) -> None:
    found = terms(tmp_path, GATES, "git@host:team/payments.git", Risk.HIGH)
    assert (found.reviewers, found.needed, found.separation) == (("dora", "eve"), 2, True)
    assert terms(tmp_path, GATES, "/srv/payments", Risk.MEDIUM).reviewers == ("fay",)
    assert terms(tmp_path, GATES, "/srv/other", Risk.HIGH).reviewers == ("ada", "bob")


def test_without_any_configuration_anybody_answers_and_time_does_nothing(tmp_path: Path) -> None:
    assert terms(tmp_path, "", "/srv/tools", Risk.HIGH) == GateTerms(submitter="me")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[gates]\nreviewers = ["ada"]\nneeded = 2\n', "2 approvals are needed, and there are 1 reviewers"),
        ('[gates]\nreviewers = [" ME "]\nseparation = true\n', "the only reviewer is me"),
    ],
)
def test_gates_that_could_never_be_passed_are_refused_when_a_job_is_submitted(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        terms(tmp_path, text, "/srv/tools", Risk.LOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[gates]\ndeadline = "soon"\n', "is not a time"),
        ('[gates]\non_expiry = "approve"\n', "park"),
        ('[gates]\nescalate_to = ["x"]\n', "add deadline"),
        ('[gates]\nreviewer = ["x"]\n', "reviewers"),
        ("[[reviewers]]\nnames = []\n", "names"),
        ('[[tiers.specialist]]\nmodel = "a/b"\nfits = ["sleeping"]\n', "is no task"),
        ('[[tiers.economy]]\nmodel = "a/b"\nfits = ["tests"]\n', "for any task"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        load(tmp_path, text)


def test_addresses_come_from_variables_and_are_never_shown(tmp_path: Path) -> None:
    text = '[notify]\neverybody = ["CHAT_URL"]\nada = ["NOT_SET"]\n'
    found = load(tmp_path, text, CHAT_URL="json://user:hunter2@127.0.0.1")
    assert found.notify.urls() == {"everybody": ["json://user:hunter2@127.0.0.1"]}
    assert found.notify.missing == ("NOT_SET",)
    assert found.gate_terms("/srv/x", Risk.LOW).notify
    assert "hunter2" not in f"{found!r}{found.describe()}"
