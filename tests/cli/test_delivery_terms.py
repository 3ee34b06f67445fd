"""What a submission is held to before anything is begun, and the file that pushes find their tokens in."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import git, make_repository
from thirdshift.bootstrap.delivery import delivery_terms, open_delivery
from thirdshift.core.delivery import DeliveryTerms
from thirdshift.core.errors import SettingsInvalid, SpecInvalid
from thirdshift.core.spec import Criterion, Delivery, Spec
from thirdshift.settings import Settings, load_settings

FORGE = '[forges.lab]\nkind = "gitlab"\nurl = "https://lab.example"\ntoken_env = "LAB_TOKEN"\n'


def settings_at(root: Path, text: str = "", **environ: str) -> Settings:
    (root / "thirdshift.toml").write_text(text)
    return load_settings(cwd=root, environ={"THIRDSHIFT_HOME": str(root / "home"), **environ})


def spec(kind: Delivery, base: str = "main") -> Spec:
    return Spec(
        title="t", base=base, deliver=kind, checks=(), goal="g", criteria=(Criterion(id="AC-1", text="x"),), body=""
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "repo", {"a": "a"})
    git(made, "tag", "v1")
    git(made, "switch", "-q", "-c", "desk")
    return made


def terms(settings: Settings, given: Spec, repository: Path, onto: str | None = None) -> DeliveryTerms:
    return delivery_terms(settings, given, str(repository), Path("spec.md"), onto)


def test_a_plain_branch_needs_nothing_and_knows_its_base_where_that_is_a_branch(
    repository: Path, tmp_path: Path
) -> None:
    settings = settings_at(tmp_path)
    assert terms(settings, spec(Delivery.BRANCH, "HEAD"), repository).onto == "desk"
    assert terms(settings, spec(Delivery.BRANCH, "v1"), repository).onto == ""


def test_a_merge_is_settled_on_the_branch_that_the_base_names(repository: Path, tmp_path: Path) -> None:
    found = terms(settings_at(tmp_path), spec(Delivery.MERGE), repository)
    assert found == DeliveryTerms(kind=Delivery.MERGE, onto="main")


def test_a_later_run_keeps_the_branch_of_the_first_whatever_head_is_by_now(repository: Path, tmp_path: Path) -> None:
    found = terms(settings_at(tmp_path), spec(Delivery.MERGE, "HEAD"), repository, "main")
    assert found.onto == "main"


def test_a_merge_onto_what_is_checked_out_is_refused_with_both_remedies(repository: Path, tmp_path: Path) -> None:
    git(repository, "switch", "-q", "main")
    with pytest.raises(SpecInvalid, match=r"main, which is checked out in .*git switch.*`deliver: branch`"):
        terms(settings_at(tmp_path), spec(Delivery.MERGE), repository)


@pytest.mark.parametrize("kind", [Delivery.MERGE, Delivery.PULL_REQUEST])
def test_a_tag_is_no_branch_to_merge_onto(repository: Path, tmp_path: Path, kind: Delivery) -> None:
    with pytest.raises(SpecInvalid, match="needs a base that is a branch; write `base: main`"):
        terms(settings_at(tmp_path), spec(kind, "v1"), repository)


def test_a_push_without_a_remote_is_refused_with_the_command(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="remote add origin URL"):
        terms(settings_at(tmp_path), spec(Delivery.PUSH), repository)


def test_a_pull_request_needs_a_forge_and_its_token(repository: Path, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", "git@lab.example:team/app.git")
    asked = spec(Delivery.PULL_REQUEST)
    with pytest.raises(SettingsInvalid, match=r'(?s)needs a forge for lab.example \(configured: none\).*host = "lab'):
        terms(settings_at(tmp_path), asked, repository)
    with pytest.raises(SettingsInvalid, match=r"needs the token of \[forges.lab\]; set LAB_TOKEN"):
        terms(settings_at(tmp_path, FORGE), asked, repository)
    assert terms(settings_at(tmp_path, FORGE, LAB_TOKEN="t"), asked, repository).onto == "main"


def test_tokens_reach_git_by_a_file_of_this_user_alone_which_is_gone_afterwards(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, FORGE, LAB_TOKEN="tok-lab")
    stale = tmp_path / "home" / "delivery-999999999-x.gitconfig"
    stale.parent.mkdir(parents=True)
    stale.write_text("left by a killed process")
    with open_delivery(settings) as delivery:
        (path,) = (tmp_path / "home").glob("delivery-*.gitconfig")
        assert path.stat().st_mode & 0o777 == 0o600
        asked = ["git", "config", "--file", str(path), "--get-urlmatch", "http.extraheader", "https://lab.example/a/b"]
        header = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        assert base64.b64decode(header.removeprefix("Authorization: Basic ")).decode() == "oauth2:tok-lab"
        elsewhere = [*asked[:-1], "https://lab.example.evil.example/"]
        assert subprocess.run(elsewhere, capture_output=True, check=False).returncode == 1
        assert set(delivery.forges) == {"lab.example"}
        assert delivery.job_url("job-1") == ""
    assert list((tmp_path / "home").glob("delivery-*")) == []


def test_without_tokens_no_file_is_made(tmp_path: Path) -> None:
    with open_delivery(settings_at(tmp_path)):
        assert list(tmp_path.glob("home/*.gitconfig")) == []
