"""From settings to services: the one place where adapters are made."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from activities.services import ProviderTerms, Services
from thirdshift.adapters.hub import LocalHub
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.adapters.llm.build import build_model
from thirdshift.adapters.prices import Prices
from thirdshift.adapters.sandbox.factory import build_sandbox
from thirdshift.adapters.sandbox.setup_cache import SetupCache
from thirdshift.adapters.workspace.workspaces import Workspaces
from thirdshift.bootstrap.books import now as now
from thirdshift.bootstrap.books import open_books as open_books
from thirdshift.bootstrap.delivery import hub_transport
from thirdshift.core.ports import Model
from thirdshift.core.scopes import BudgetLimits
from thirdshift.settings import Settings
from thirdshift.settings.duties import Duty


def host_name(home: Path) -> str:
    """This machine's name among the workers: made once for each THIRDSHIFT_HOME, since workspaces live there."""
    path = home / "host"
    with contextlib.suppress(FileNotFoundError):
        if name := path.read_text().strip():
            return name
    home.mkdir(parents=True, exist_ok=True)
    staged = home / f"host.{secrets.token_hex(4)}"
    staged.write_text(secrets.token_hex(4))
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(staged)
    staged.unlink()
    return path.read_text().strip()


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings, ledger: SqlLedger | None = None, *, duty: Duty | None = None
) -> AsyncIterator[Services]:
    """Every port, wired. Raises the errors of each adapter, with their remedies.

    With a ``duty``, models are made for ``models`` alone, and no secret of another duty is kept.
    """
    settings = settings.for_duty(duty)
    async with contextlib.AsyncExitStack() as stack:
        sandbox = build_sandbox(settings.sandbox.backend, read_only=settings.sandbox.read_only)
        hub = LocalHub(str(settings.hub_path), transport=stack.enter_context(hub_transport(settings)))
        models = _models(settings) if duty in (None, "models") else {}
        for model in models.values():
            stack.push_async_callback(model.close)
        yield Services(
            host=host_name(settings.home),
            clock=now,
            ledger=ledger or open_books(settings),
            hub=hub,
            sandbox=sandbox,
            setups=SetupCache(sandbox, settings.home / "cache" / "setup"),
            workspaces=Workspaces(str(settings.home / "work"), hub, sandbox),
            models=models,
            terms={
                name: ProviderTerms(kind=provider.kind, base_url=provider.base_url)
                for name, provider in settings.providers.items()
            },
            prices=Prices(settings.prices),
            scratch=str(settings.home / "scratch"),
            limits=BudgetLimits.model_validate(settings.budgets.model_dump()),
            zone=settings.zone,
            setup_network=settings.sandbox.setup_network,
            setup_hosts=settings.sandbox.setup_hosts,
            secrets=settings.secret_values,
        )


def _models(settings: Settings) -> dict[str, Model]:
    """A model for each provider that is on the ladder: an SDK that nobody calls is not worth a second of start-up."""
    climbed = {rung.provider for rung in settings.ladder.rungs}
    return {
        name: build_model(
            provider.kind,
            name=name,
            base_url=provider.base_url or None,
            api_key=provider.api_key.get_secret_value() if provider.api_key else None,
            script_path=str(provider.script) if provider.script else None,
            state_dir=str(settings.home / "scripted" / name),
        )
        for name, provider in settings.providers.items()
        if provider.ready and name in climbed
    }
