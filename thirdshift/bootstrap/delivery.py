"""From settings to deliveries: what a submission is held to, and the wiring of the one place with credentials."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from activities.delivery import DeliveryServices
from thirdshift.adapters.forge.build import build_forge
from thirdshift.adapters.hub import Transport
from thirdshift.adapters.hub.deliverer import HubDeliverer
from thirdshift.adapters.hub.watching import BranchWatcher
from thirdshift.core.delivery import Deliverer, DeliveryTerms, forge_address
from thirdshift.core.errors import DeliveryRefused, SettingsInvalid, SpecInvalid
from thirdshift.core.spec import Delivery, Spec
from thirdshift.core.ui_links import workflow_link
from thirdshift.settings import Settings
from thirdshift.settings.delivery import ForgeAccess

_USERS = {"github": "x-access-token", "gitlab": "oauth2"}
"""The user that each forge wants beside a token, for git over https."""


@contextlib.contextmanager
def open_delivery(settings: Settings) -> Iterator[DeliveryServices]:
    """What deliveries act through, until the block is left; the credentials' file is gone then."""
    with _credentials(settings) as config:
        yield DeliveryServices(
            deliverer=deliverer(settings, config),
            forges={
                forge.host: build_forge(forge.kind, forge.url, forge.token.get_secret_value())
                for forge in settings.forges
                if forge.token
            },
            job_url=lambda job_id: _job_url(settings, job_id),
        )


def deliverer(settings: Settings, git_config: Path | None = None) -> HubDeliverer:
    """The deliverer, with the credentials in a git configuration file; without one, it asks with none."""
    return HubDeliverer(str(settings.hub_path), transport=_transport(settings, git_config))


@contextlib.contextmanager
def watcher(settings: Settings) -> Iterator[BranchWatcher]:
    """What looks at branches that work was delivered to, with the same rights."""
    with _credentials(settings) as config:
        yield BranchWatcher(str(settings.hub_path), transport=_transport(settings, config))


@contextlib.contextmanager
def hub_transport(settings: Settings) -> Iterator[Transport]:
    """How the hub reaches the repositories of jobs: with what this process has been given, until the block is left."""
    with _credentials(settings) as config:
        yield _transport(settings, config)


def _transport(settings: Settings, git_config: Path | None) -> Transport:
    access = settings.delivery
    return Transport(
        config_file=str(git_config or access.git_config or os.devnull),
        ssh_command=access.ssh_command,
        ssh_agent_socket=access.ssh_agent_socket or None,
    )


def delivery_terms(settings: Settings, spec: Spec, repository: str, place: Path, onto: str | None) -> DeliveryTerms:
    """How the job is to be delivered; ``onto`` where an earlier run has settled the branch.

    Raises SpecInvalid or SettingsInvalid for what could not be delivered in the end.
    """
    with _credentials(settings) as config:
        takes = deliverer(settings, config)
        try:
            branch = takes.branch_named(repository, spec.base) if onto is None else onto
            terms = DeliveryTerms(kind=spec.deliver, onto=branch)
            if spec.deliver is not Delivery.BRANCH:
                _refuse_undeliverable(settings, takes, terms, repository, f"{place}: `deliver: {spec.deliver}`")
        except DeliveryRefused as refused:
            raise SpecInvalid(f"{place}: `deliver: {spec.deliver}` cannot be done: {refused}") from None
    return terms


def _refuse_undeliverable(
    settings: Settings, takes: Deliverer, terms: DeliveryTerms, repository: str, asked: str
) -> None:
    if not terms.onto and terms.kind is not Delivery.PUSH:
        raise SpecInvalid(f"{asked} needs a base that is a branch; write `base: main`, or whatever it is called")
    if terms.kind is Delivery.MERGE:
        if where := takes.checked_out_in(repository, terms.onto):
            raise SpecInvalid(
                f"{asked} would move {terms.onto}, which is checked out in {where}; check out another branch there "
                "(git switch), or write `deliver: branch` and merge it yourself"
            )
        return
    url = takes.remote_url(repository, terms.onto)
    if terms.kind is Delivery.PULL_REQUEST:
        _forge_for(settings, url, asked)


def _forge_for(settings: Settings, url: str, asked: str) -> ForgeAccess:
    found = forge_address(url)
    host = found[0] if found else ""
    forge = next((forge for forge in settings.forges if forge.host == host), None)
    if forge is None:
        known = ", ".join(forge.host for forge in settings.forges) or "none"
        raise SettingsInvalid(
            f"{asked} needs a forge for {host or url} (configured: {known}); add to thirdshift.toml:\n"
            f'  [forges.NAME]\n  kind = "github"  # or "gitlab"\n  host = "{host}"\n  token_env = "VARIABLE"'
        )
    if forge.token is None and not forge.token_elsewhere:
        raise SettingsInvalid(
            f"{asked} needs the token of [forges.{forge.name}]; set {forge.token_variable} in the environment or in "
            f"{settings.secrets_path} (mode 600)"
        )
    return forge


@contextlib.contextmanager
def _credentials(settings: Settings) -> Iterator[Path | None]:
    """A git configuration file that gives each forge its token, for git over https; readable for this user alone.

    Tokens stand in a file and not in arguments or the environment, which other processes could read.
    """
    tokens = [forge for forge in settings.forges if forge.token]
    if not tokens:
        yield settings.delivery.git_config
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    _sweep(settings.home)
    descriptor, name = tempfile.mkstemp(prefix=f"delivery-{os.getpid()}-", suffix=".gitconfig", dir=settings.home)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if settings.delivery.git_config:
                file.write(f"[include]\n\tpath = {_quoted(str(settings.delivery.git_config))}\n")
            for forge in tokens:
                file.write(_section(forge))
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _section(forge: ForgeAccess) -> str:
    token = forge.token.get_secret_value() if forge.token else ""
    basic = base64.b64encode(f"{_USERS[forge.kind]}:{token}".encode()).decode()
    address = _quoted(f"https://{forge.host}/")
    return f"[http {address}]\n\textraHeader = {_quoted(f'Authorization: Basic {basic}')}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _sweep(home: Path) -> None:
    """Remove the files of processes that were killed."""
    for path in home.glob("delivery-*.gitconfig"):
        owner = path.name.split("-")[1]
        if not owner.isdigit() or (Path("/proc").is_dir() and not Path("/proc", owner).exists()):
            path.unlink(missing_ok=True)


def _job_url(settings: Settings, job_id: str) -> str:
    """The job's page, where the server is one that others can open too."""
    engine = settings.engine
    return workflow_link(engine.ui_url, engine.namespace, job_id) if engine.ui_url else ""
