from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import Bench, fingerprint, git, make_repository, write
from thirdshift.adapters.hub import LocalHub
from thirdshift.adapters.hub.locations import LocalRepository, RemoteRepository, locate
from thirdshift.core.errors import RepositoryRefused


@pytest.fixture
def hub(tmp_path: Path) -> LocalHub:
    return LocalHub(str(tmp_path / "hub"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "repository", {"a": "a"})
    git(made, "tag", "v1")
    git(made, "tag", "-a", "v1-signed", "-m", "annotated")
    git(made, "branch", "feature/one")
    return made


def test_a_base_is_a_branch_a_tag_or_a_commit_and_resolving_changes_nothing(
    hub: LocalHub, repository: Path, tmp_path: Path
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    git(repository, "update-ref", "refs/remotes/origin/main", commit)
    before = fingerprint(repository)
    names = [
        *("main", "v1", "v1-signed", "feature/one", "HEAD", "origin/main", "refs/tags/v1"),
        *(commit, commit[:8], commit.upper()),
    ]
    for name in names:
        base = hub.resolve(str(repository), name)
        assert (base.commit, base.tree, base.ref_name) == (commit, tree, name)
    assert fingerprint(repository) == before
    assert not (tmp_path / "hub").exists()


def test_a_branch_comes_before_a_tag_of_the_same_name(hub: LocalHub, repository: Path) -> None:
    git(repository, "branch", "v1")
    write(repository, {"b": "b"})
    git(repository, "switch", "-q", "v1")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "on the branch")
    assert hub.resolve(str(repository), "v1").commit == git(repository, "rev-parse", "refs/heads/v1")


def test_subdirectories_linked_worktrees_and_file_urls_stand_for_their_repository(
    hub: LocalHub, repository: Path, tmp_path: Path
) -> None:
    write(repository, {"sub/x": "x"})
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"o": "o"})
    git(tmp_path / "linked", "add", "-A")
    git(tmp_path / "linked", "commit", "-q", "-m", "other")
    other = git(repository, "rev-parse", "other")
    assert hub.resolve(str(repository / "sub"), "main").commit == git(repository, "rev-parse", "main")
    assert hub.resolve(f"file://{repository}", "other").commit == other
    assert hub.resolve(str(tmp_path / "linked"), "HEAD").commit == other
    assert hub.resolve(str(repository), "HEAD").commit != other
    assert hub.import_base(str(tmp_path / "linked"), other, "job-1").commit == other


def test_an_import_is_whole_pinned_and_may_be_repeated(hub: LocalHub, repository: Path, tmp_path: Path) -> None:
    write(repository, {"b": "b"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    before = fingerprint(repository)
    commit = git(repository, "rev-parse", "HEAD")
    for _ in range(2):
        base = hub.import_base(str(repository), commit, "job-1")
        assert (base.commit, base.tree) == (commit, git(repository, "rev-parse", "HEAD^{tree}"))
    assert fingerprint(repository) == before
    hub_path = tmp_path / "hub"
    assert git(hub_path, "for-each-ref", "--format=%(refname) %(objectname)") == (
        f"refs/thirdshift/job-1/base {commit}"
    )
    (repository / ".git").rename(tmp_path / "gone")
    assert git(hub_path, "rev-list", "--count", "refs/thirdshift/job-1/base") == "2"
    assert git(hub_path, "fsck", "--strict") == ""
    assert list((hub_path / "thirdshift-tmp").iterdir()) == []
    assert not (hub_path / "FETCH_HEAD").exists()


def test_a_clone_that_shares_objects_is_imported_whole(hub: LocalHub, repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--shared", str(repository), "shared")
    commit = git(repository, "rev-parse", "HEAD")
    hub.import_base(str(tmp_path / "shared"), commit, "job-1")
    (repository / ".git").rename(tmp_path / "gone")
    assert git(tmp_path / "hub", "fsck", "--strict") == ""


def _missing(root: Path) -> str:
    return str(root / "missing")


def _file(root: Path) -> str:
    write(root, {"file": "x"})
    return str(root / "file")


def _plain_directory(root: Path) -> str:
    (root / "plain").mkdir()
    return str(root / "plain")


def _bare(root: Path) -> str:
    git(root, "clone", "-q", "--bare", str(root / "repository"), "bare.git")
    return str(root / "bare.git")


def _git_directory(root: Path) -> str:
    return str(root / "repository/.git")


def _empty(root: Path) -> str:
    git(root, "init", "-q", "empty")
    return str(root / "empty")


def _shallow(root: Path) -> str:
    write(root / "repository", {"b": "b"})
    git(root / "repository", "add", "-A")
    git(root / "repository", "commit", "-q", "-m", "second")
    git(root, "clone", "-q", "--depth=1", f"file://{root}/repository", "shallow")
    return str(root / "shallow")


def _sha256(root: Path) -> str:
    git(root, "init", "-q", "--object-format=sha256", "sha256")
    return str(root / "sha256")


def _broken_config(root: Path) -> str:
    git(root, "init", "-q", "broken")
    (root / "broken/.git/config").write_text("[core\n")
    return str(root / "broken")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_missing, "does not exist"),
        (_file, "is a file"),
        (_plain_directory, "is not in a git repository.*git init"),
        (_bare, "is bare"),
        (_git_directory, "inside a .git directory"),
        (_empty, "has no commits.*git commit"),
        (_shallow, "is a shallow clone.*fetch --unshallow"),
        (_sha256, "uses sha256"),
        (_broken_config, "cannot read the repository.*bad config"),
    ],
)
def test_a_repository_that_cannot_be_used_is_refused_with_the_remedy(
    hub: LocalHub, repository: Path, tmp_path: Path, make: object, said: str
) -> None:
    place = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(RepositoryRefused, match=said):
        hub.resolve(place, "main")
    assert repository.exists()


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("mian", "no branch, tag or commit 'mian'; did you mean 'main'"),
        ("feature/onee", "did you mean 'feature/one'"),
        ("zzzzzz", "its branches are feature/one, main, v1, v1-signed"),
        ("deadbeef", "no branch, tag or commit"),
        ("-upload-pack=evil", "begins with a dash"),
        ("main..x", "may hold"),
        ("main@{1}", "may hold"),
        ("main:a", "may hold"),
        ("HEAD~1", "may hold"),
        ("", "is no name"),
        ("a b", "may hold"),
        ("a\nb", "may hold"),
        ("x.lock", "ends with .lock"),
    ],
)
def test_a_base_that_is_not_there_or_no_name_is_refused(hub: LocalHub, repository: Path, base: str, said: str) -> None:
    with pytest.raises(RepositoryRefused, match=said):
        hub.resolve(str(repository), base)


def test_a_partial_clone_that_lacks_what_is_needed_is_refused_and_fetches_nothing(
    hub: LocalHub, repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", f"file://{repository}", "partial")
    marker = tmp_path / "ran"
    git(tmp_path / "partial", "config", "remote.origin.uploadpack", f"touch {marker}; git-upload-pack")
    with pytest.raises(RepositoryRefused, match="partial clone"):
        hub.resolve(str(tmp_path / "partial"), "main")
    commit = git(repository, "rev-parse", "HEAD")
    with pytest.raises(RepositoryRefused, match="partial clone"):
        hub.import_base(str(tmp_path / "partial"), commit, "job-1")
    assert not marker.exists()


def test_a_damaged_repository_is_refused(hub: LocalHub, repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    blob = git(repository, "rev-parse", "HEAD:a")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(RepositoryRefused, match="lacks objects"):
        hub.import_base(str(repository), commit, "job-1")


@pytest.mark.parametrize("name", [".GIT", "git~1", ".git "])
def test_a_base_that_holds_a_git_directory_in_disguise_is_refused_and_not_pinned(
    hub: LocalHub, repository: Path, tmp_path: Path, name: str
) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"[core]\n\tfsmonitor = evil\n")
    inner = git(repository, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    tree = git(repository, "mktree", stdin=f"040000 tree {inner}\t{name}\n".encode())
    commit = git(repository, "commit-tree", tree, "-m", "evil")
    with pytest.raises(RepositoryRefused, match=r"is a spelling of \.git"):
        hub.import_base(str(repository), commit, "job-1")
    assert git(tmp_path / "hub", "for-each-ref") == ""


def test_a_hostile_repository_runs_nothing(hub: LocalHub, repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\necho $0 $@ >> {marker}\n")
    script.chmod(0o755)
    git_dir = repository / ".git"
    hooks = git_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in (
        *("reference-transaction", "post-checkout", "pre-push", "post-update", "update", "pre-receive"),
        *("post-receive", "proc-receive", "post-index-change", "fsmonitor-watchman", "pre-auto-gc"),
    ):
        (hooks / hook).symlink_to(script)
    (tmp_path / "included").write_text(f"[core]\n\tpager = {script}\n\tsshCommand = {script}\n")
    (git_dir / "config").write_text(
        f"""[core]
	repositoryformatversion = 1
	fsmonitor = {script}
	sshCommand = {script}
	gitProxy = {script}
	askPass = {script}
	editor = {script}
	alternateRefsCommand = {script}
	hooksPath = {hooks}
	attributesFile = {tmp_path}/attributes
[uploadpack]
	packObjectsHook = {script}
	allowFilter = true
[filter "x"]
	clean = {script}
	smudge = {script}
	process = {script}
	required = true
[diff]
	external = {script}
[credential]
	helper = !{script}
[gc]
	auto = 1
	autoDetach = false
[maintenance]
	auto = true
[includeIf "gitdir:/"]
	path = {tmp_path}/included
[url "ext::{script} "]
	insteadOf = /
[hook "evil"]
	event = reference-transaction
	command = {script}
[remote "origin"]
	url = ext::{script}
	promisor = true
	uploadpack = {script}
	receivepack = {script}
[extensions]
	partialClone = origin
[protocol]
	allow = always
[protocol "ext"]
	allow = always
"""
    )
    (tmp_path / "attributes").write_text("* filter=x diff=x\n")
    commit = git(tmp_path, "--git-dir", str(git_dir), "rev-parse", "refs/heads/main")
    base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
    assert base.commit == commit
    workspace = tmp_path / "w"
    hub.restore(str(workspace), base.tree, "l")
    bench = Bench(hub, tmp_path / "hub", repository, base, workspace)
    write(workspace, {"b": "b", ".gitattributes": "* filter=x diff=x\n"})
    snapshot = bench.snapshot()
    hub.deliver(snapshot.tree, base.commit, "done", str(repository), "thirdshift/job-1")
    with pytest.raises(RepositoryRefused):
        hub.resolve(str(repository), "nothing-of-that-name")
    assert not marker.exists(), marker.read_text()
    git(repository, "status", check=False)
    assert marker.exists(), "the trap would not have caught anybody"


def test_a_base_with_replace_refs_is_what_its_hash_says(hub: LocalHub, repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    other = git(repository, "commit-tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "-m", "empty")
    git(repository, "replace", commit, other)
    assert hub.list_paths(hub.import_base(str(repository), commit, "job-1").tree) == ("a",)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a.git", "https://user:token@example.org:8443/a", "ssh://git@example.org/a",
        "git@example.org:team/a.git", "example.org:a", "ssh://[::1]:22/a",
    ],
)  # fmt: skip
def test_https_and_ssh_are_remote(text: str) -> None:
    place = locate(text)
    assert isinstance(place, RemoteRepository)
    assert "token" not in place.shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ext::sh -c touch% x", "ext::"),
        ("fd::17", "fd::"),
        ("http://example.org/a", "http://"),
        ("git://example.org/a", "git://"),
        ("ftp://example.org/a", "ftp://"),
        ("--upload-pack=touch x", "dash"),
        ("ssh://-oProxyCommand=touch/x", "no valid host"),
        ("ssh://host/-x", "no valid host or path"),
        ("-oProxyCommand=x:a", "dash"),
        ("host:-x", "no valid host"),
        ("file://elsewhere/a", "names a host"),
        ("", "empty"),
        ("a\nb", "control character"),
        ("https://u:secret@/x", "no valid host"),
    ],
)
def test_other_transports_are_refused_by_name_with_the_remedy(hub: LocalHub, text: str, said: str) -> None:
    with pytest.raises(RepositoryRefused, match=said) as refusal:
        hub.resolve(text, "main")
    assert "secret" not in str(refusal.value)


def test_a_path_with_a_colon_is_a_path_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd:name").mkdir()
    assert locate("odd:name") == LocalRepository(tmp_path / "odd:name")
    assert locate("sub/odd:name") == LocalRepository(tmp_path / "sub/odd:name")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_repository_of_another_user_is_read_and_delivered_to(hub: LocalHub, repository: Path) -> None:
    for path in [repository, *repository.rglob("*")]:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    base = hub.import_base(str(repository), hub.resolve(str(repository), "main").commit, "job-1")
    commit = hub.deliver(base.tree, base.commit, "m", str(repository), "thirdshift/x")
    assert (repository / ".git/refs/heads/thirdshift/x").read_text().strip() == commit
