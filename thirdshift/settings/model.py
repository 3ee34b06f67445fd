"""The settings as the rest of the program sees them: every default filled in, every path absolute."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import ModelsUnavailable, SettingsInvalid
from thirdshift.core.frozen import Frozen
from thirdshift.core.gates import GateTerms
from thirdshift.core.ladder import Ladder, Tier
from thirdshift.core.money import format_usd
from thirdshift.core.spec import Risk
from thirdshift.settings.delivery import DeliveryAccess, ForgeAccess
from thirdshift.settings.duties import Duty
from thirdshift.settings.intake import Intake
from thirdshift.settings.listening import EventSource, ListenSection, require_sources
from thirdshift.settings.reviewing import GatesSection, Notified, ReviewersRule, terms_for
from thirdshift.settings.sections import BudgetsSection, PolicySection, RiskPolicy, SandboxSection


class Provider(Frozen):
    """Where models are called, and with which key."""

    name: str
    kind: Literal["anthropic", "openai", "openai-chat", "scripted"]
    base_url: str = ""
    """Empty: the vendor's own address."""
    key_variable: str = ""
    """The variable that holds its key; empty where no key is sent."""
    api_key: SecretStr | None = None
    key_elsewhere: bool = False
    """Whether another process of the worker has the key, and calls."""
    requests_per_minute: int | None = None
    script: Path | None = None

    @property
    def ready(self) -> bool:
        """Whether its key is there, here or in the process that calls, or it needs none."""
        return not self.key_variable or self.api_key is not None or self.key_elsewhere


class Settings(Frozen):
    """Everything that can be configured. Never prints a key."""

    home: Path
    config_path: Path | None
    """The thirdshift.toml that was read."""
    secrets_path: Path
    engine: EngineTarget
    ledger_url: str
    hub_path: Path
    hub_remote: str
    sandbox: SandboxSection
    providers: dict[str, Provider]
    ladder: Ladder
    """May have no rung at all; ``require_ladder`` refuses that."""
    ladder_is_default: bool
    """Whether it was derived from the keys that are there, and not written by a person."""
    plan_tier: Tier | None
    """The tier that plans; None: the one that the job's first attempt is made on."""
    prices: dict[str, dict[str, str]]
    """``provider/model`` to kind of token to US dollars per million, as decimal strings."""
    budgets: BudgetsSection
    policy: PolicySection
    time_zone: str = "UTC"
    """Whose days and months budgets and reports mean."""
    team: str = "default"
    """Whose days and months the calls of jobs submitted from here count against."""
    delivery: DeliveryAccess = DeliveryAccess()
    forges: tuple[ForgeAccess, ...] = ()
    intake: Intake = Intake()
    gates: GatesSection = GatesSection()
    reviewers: tuple[ReviewersRule, ...] = ()
    notify: Notified = Notified()
    listen: ListenSection = ListenSection()
    sources: tuple[EventSource, ...] = ()
    """Who may send events."""
    submitter: str
    """The login name of whoever runs this process; a claim, not an identity."""

    @property
    def log_dir(self) -> Path:
        """Where logs are kept."""
        return self.home / "logs"

    @property
    def zone(self) -> ZoneInfo:
        """The configured time zone."""
        return ZoneInfo(self.time_zone)

    def for_duty(self, duty: Duty | None) -> Settings:
        """The same without the secrets of other duties; with no duty, whole."""
        if duty is None:
            return self
        mute = tuple(source.model_copy(update={"secrets": ()}) for source in self.sources)
        keyless = {
            name: one if duty == "models" else one.model_copy(update={"api_key": None, "key_elsewhere": one.ready})
            for name, one in self.providers.items()
        }
        if duty == "delivery":
            return self.model_copy(update={"providers": keyless, "sources": mute})
        return self.model_copy(
            update={
                "providers": keyless,
                "sources": mute,
                "delivery": DeliveryAccess(ssh_command="false"),
                "forges": tuple(
                    forge.model_copy(update={"token": None, "token_elsewhere": True}) for forge in self.forges
                ),
                "notify": Notified(variables=self.notify.variables, elsewhere=True),
            }
        )

    @property
    def secret_values(self) -> frozenset[str]:
        """Every value that this process knows and nobody else is to read."""
        known = [one.api_key for one in self.providers.values()] + [forge.token for forge in self.forges]
        known += [url for urls in self.notify.addresses.values() for url in urls]
        known += [secret for source in self.sources for secret in source.secrets]
        return frozenset(one.get_secret_value() for one in known if one)

    @property
    def holds_secrets(self) -> bool:
        """Whether there is anything that the process which runs agents' code must not have."""
        return bool(self.secret_values or self.delivery.git_config or self.delivery.ssh_agent_socket)

    def policy_for(self, risk: Risk) -> RiskPolicy:
        """The policy for a spec of this risk."""
        return self.policy.of(risk)

    def gate_terms(self, repository: str, risk: Risk) -> GateTerms:
        """Who is asked at the gates of a job; SettingsInvalid where they could never be passed."""
        try:
            return terms_for(
                self.gates,
                self.reviewers,
                repository,
                risk,
                submitter=self.submitter,
                notify=self.notify.anybody,
            )
        except ValueError as error:
            raise SettingsInvalid(f"{self.config_path or 'thirdshift.toml'}: reviewers: {error}") from None

    def require_ladder(self) -> Ladder:
        """The ladder, or ModelsUnavailable naming the remedies."""
        if self.ladder.rungs:
            return self.ladder
        raise ModelsUnavailable(
            "no model is configured and no key was found; do one of these:\n"
            "  - set ANTHROPIC_API_KEY or OPENAI_API_KEY in the environment\n"
            f"  - put such a line into {self.secrets_path} and run: chmod 600 {self.secrets_path}\n"
            "  - name a server of your own in thirdshift.toml, with [providers.NAME] and [[tiers.economy]]"
            " (`thirdshift init` writes an example)"
        )

    def require_keys(self) -> Ladder:
        """The ladder, every provider on it with its key; else ModelsUnavailable saying which key is missing."""
        ladder = self.require_ladder()
        missing = sorted({r.provider for r in ladder.rungs if not self.providers[r.provider].ready})
        if missing:
            lines = "\n".join(
                f"  - {self.providers[name].key_variable}, for provider `{name}`"
                f" ({', '.join(r.model for r in ladder.rungs if r.provider == name)})"
                for name in missing
            )
            raise ModelsUnavailable(
                f"keys are missing:\n{lines}\n"
                f"set them in the environment or in {self.secrets_path} (mode 600), or take the rungs off the ladder"
            )
        return ladder

    def require_sources(self) -> tuple[EventSource, ...]:
        """Who may send events, each with a secret; else SettingsInvalid naming the remedies."""
        return require_sources(self.sources, str(self.config_path or "thirdshift.toml"), str(self.secrets_path))

    @property
    def _setup_network(self) -> str:
        return ", ".join(self.sandbox.setup_hosts) or self.sandbox.setup_network

    def describe(self) -> dict[str, str]:
        """What is in force, for people; keys are said to be there or not, and never shown."""
        lines = {
            "home": str(self.home),
            "configuration": str(self.config_path or "none; defaults and environment"),
            "temporal": self.engine.address or self.engine.kind,
            "namespace": self.engine.namespace,
            "ledger": _without_password(self.ledger_url),
            "hub": str(self.hub_path),
            "time zone": self.time_zone,
            "team": self.team,
            "sandbox": f"{self.sandbox.backend}, setup network {self._setup_network}",
        }
        for name, provider in sorted(self.providers.items()):
            key = "no key sent"
            if provider.key_variable:
                key = f"{provider.key_variable} {'set' if provider.api_key else 'missing'}"
            lines[f"provider {name}"] = ", ".join(filter(None, (provider.kind, provider.base_url, key)))
        lines |= {f"forge {forge.name}": forge.described() for forge in self.forges}
        lines |= {f"source {source.name}": source.described() for source in self.sources}
        if self.notify.addresses or self.notify.missing:
            missing = f"; missing: {', '.join(self.notify.missing)}" if self.notify.missing else ""
            lines["notify"] = ", ".join(sorted(self.notify.addresses)) + missing
        for tier in Tier:
            models = [self.ladder.rungs[i].model for i in self.ladder.of(tier)]
            lines[f"tier {tier}"] = ", ".join(models) or "no rung"
        for key, nano in self.budgets.model_dump().items():
            if nano is not None:
                lines[f"budget {key.removesuffix('_nano')}"] = f"{format_usd(nano)} USD"
        return lines


def _without_password(url: str) -> str:
    """The URL with the password of its user left out."""
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not at:
        return url
    return f"{scheme}{separator}{user.partition(':')[0]}@{host}"
