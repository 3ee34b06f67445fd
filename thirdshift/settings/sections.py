"""The sections of thirdshift.toml, as a person writes them. Money is a decimal string of US dollars."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from thirdshift.core.egress import parse_host_rule
from thirdshift.core.frozen import Frozen
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.spec import GateKind, Risk, TaskKind
from thirdshift.settings.amounts import Money
from thirdshift.settings.delivery import DeliverySection, ForgeSection
from thirdshift.settings.intake import IntakeSection
from thirdshift.settings.listening import ListenSection, SourceSection
from thirdshift.settings.reviewing import GatesSection, ReviewersRule


def _rate(value: object) -> str:
    """A price in US dollars per million tokens, kept as written."""
    if not isinstance(value, str):
        raise ValueError(f'a price is written as a string: "{value}"')  # noqa: TRY004 - pydantic reports ValueError
    try:
        rate = Decimal(value)
    except InvalidOperation:
        raise ValueError(f'{value!r} is not a price; write US dollars per million tokens, like "0.40"') from None
    if not rate.is_finite() or rate < 0:
        raise ValueError(f"{value!r} is not a price; it must be zero or more")
    return value


def _zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    try:
        return ZoneInfo(str(value)).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(
            f'{value!r} is not a time zone known here; write a name like "Europe/Berlin" or "UTC" '
            "(a container may need the package tzdata)"
        ) from None


TimeZone = Annotated[str, BeforeValidator(_zone)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Rate = Annotated[str, BeforeValidator(_rate)]


class TemporalSection(Frozen):
    """``[temporal]``: a server that somebody else runs."""

    address: Annotated[str, Field(pattern=r"^\S+:\d+$")]
    namespace: str = "default"
    ui_url: str = ""


class LedgerSection(Frozen):
    """``[ledger]``: an SQLAlchemy URL of SQLite or PostgreSQL."""

    url: Annotated[str, Field(pattern=r"^(sqlite:///|postgresql\+psycopg://).+")]


class HubSection(Frozen):
    """``[hub]``: the bare repository, and the remote that it is replicated to."""

    path: str = ""
    url: str = ""


class SandboxSection(Frozen):
    """``[sandbox]``: how commands are confined."""

    backend: Literal["bubblewrap", "container", "none"] = "bubblewrap"
    setup_network: Literal["none", "host"] = "none"
    """The network of a spec's ``setup`` command; nothing else ever has one. ``host`` is the machine's, whole: what a
    package runs while it is installed reaches loopback, the company's network and the cloud's metadata. So it is the
    weaker choice; ``setup_hosts`` is the better one."""
    setup_hosts: tuple[str, ...] = ()
    """The only hosts that ``setup`` may reach, ``name:port`` each, through a proxy that refuses everything else."""
    read_only: tuple[str, ...] = ()
    """More host directories to show inside, unwritable: toolchains outside the usual places."""

    @field_validator("setup_hosts")
    @classmethod
    def _exact_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(parse_host_rule(host)) for host in value)

    @model_validator(mode="after")
    def _one_way_out(self) -> SandboxSection:
        if self.setup_hosts and self.setup_network == "host":
            raise ValueError('setup_hosts means nothing with setup_network = "host"; take one of them out')
        if self.setup_hosts and self.backend == "none":
            raise ValueError("setup_hosts needs a sandbox to hold setup back; choose another backend, or take it out")
        return self


class ProviderSection(Frozen):
    """``[providers.NAME]``: where models are called."""

    kind: Literal["anthropic", "openai", "openai-chat", "scripted"]
    base_url: str = ""
    api_key_env: str = ""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    script: str = ""
    """For ``scripted``: the file that it plays."""


class PriceSection(Frozen):
    """``[prices."provider/model"]``: US dollars per million tokens; or ``price_as``, alone."""

    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    cache_write_1h: Rate | None = None
    reasoning: Rate | None = None
    """Of output that was reasoning; left out, it is billed as output."""
    price_as: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")] | None = None
    """``vendor/model`` of the catalogue, for a server that bills as that vendor does."""

    @model_validator(mode="after")
    def _one_way_of_pricing(self) -> PriceSection:
        written = self.model_dump(exclude_none=True)
        if self.price_as is not None and len(written) > 1:
            raise ValueError("price_as stands alone; take out the other prices, or price_as")
        missing = [unit for unit in ("input", "output") if unit not in written]
        if self.price_as is None and missing:
            raise ValueError(f'{" and ".join(missing)} missing; write both, or price_as = "vendor/model"')
        return self


class BudgetsSection(Frozen):
    """``[budgets]``: nano-dollars from strings of US dollars; a key that is absent sets no such limit."""

    call_nano: Money | None = Field(default=None, alias="call_usd")
    attempt_nano: Money | None = Field(default=None, alias="attempt_usd")
    loop_nano: Money | None = Field(default=None, alias="loop_usd")
    job_nano: Money | None = Field(default=None, alias="job_usd")
    shift_nano: Money | None = Field(default=None, alias="shift_usd")
    repository_day_nano: Money | None = Field(default=None, alias="repository_day_usd")
    repository_month_nano: Money | None = Field(default=None, alias="repository_month_usd")
    team_day_nano: Money | None = Field(default=None, alias="team_day_usd")
    team_month_nano: Money | None = Field(default=None, alias="team_month_usd")


class RiskPolicy(Frozen):
    """``[policy.low]`` and its like: where a loop starts, who is asked, and when it gives up."""

    first_tier: Tier = Tier.ECONOMY
    gates: tuple[GateKind, ...] = ()
    no_progress_attempts: Annotated[int, Field(ge=2)] = 5
    repeated_failures: Annotated[int, Field(ge=2)] = 5
    repeated_calls: Annotated[int, Field(ge=2)] = 4
    oscillation_cycles: Annotated[int, Field(ge=2)] = 3


class TiersSection(Frozen):
    """``[[tiers.economy]]`` and its like: rungs in the order they are tried."""

    economy: tuple[Rung, ...] = ()
    specialist: tuple[Rung, ...] = ()
    frontier: tuple[Rung, ...] = ()

    @field_validator("economy", "specialist", "frontier", mode="before")
    @classmethod
    def _name_the_tier(cls, value: Any, info: ValidationInfo) -> Any:
        """A rung's tier is where it stands in the file."""
        if not isinstance(value, list):
            raise ValueError(f"rungs are written as [[tiers.{info.field_name}]]")  # noqa: TRY004 - pydantic reports it
        return [{**rung, "tier": info.field_name} if isinstance(rung, dict) else rung for rung in value]

    @field_validator("economy", "specialist", "frontier")
    @classmethod
    def _known_tasks(cls, value: tuple[Rung, ...], info: ValidationInfo) -> tuple[Rung, ...]:
        for rung in value:
            if rung.fits and info.field_name != "specialist":
                raise ValueError(f"{rung.model}: fits chooses among specialists; a rung of this tier is for any task")
            if unknown := sorted(set(rung.fits) - set(TaskKind)):
                raise ValueError(f"{rung.model}: fits: `{unknown[0]}` is no task; there are {', '.join(TaskKind)}")
        return value

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """All rungs, cheapest tier first."""
        return self.economy + self.specialist + self.frontier


class PolicySection(Frozen):
    """``[policy.RISK]``; what a table leaves out keeps its default."""

    low: RiskPolicy = RiskPolicy()
    medium: RiskPolicy = RiskPolicy()
    high: RiskPolicy = RiskPolicy(first_tier=Tier.SPECIALIST, gates=(GateKind.PLAN, GateKind.MERGE))

    @field_validator("high", mode="before")
    @classmethod
    def _fill_high(cls, value: Any) -> Any:
        """What the table leaves out is as strict as it is by default."""
        return {"first_tier": "specialist", "gates": ["plan", "merge"], **value} if isinstance(value, dict) else value

    def of(self, risk: Risk) -> RiskPolicy:
        """The policy for a spec of this risk."""
        return {Risk.LOW: self.low, Risk.MEDIUM: self.medium, Risk.HIGH: self.high}[risk]


class ConfigFile(Frozen):
    """The whole of thirdshift.toml."""

    plan_tier: Tier | None = None
    time_zone: TimeZone = "UTC"
    """Whose days and months budgets and reports mean."""
    team: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")] = "default"
    """Whose days and months the calls of jobs submitted from here count against."""
    temporal: TemporalSection | None = None
    ledger: LedgerSection | None = None
    hub: HubSection = HubSection()
    sandbox: SandboxSection = SandboxSection()
    providers: dict[str, ProviderSection] = Field(default_factory=dict)
    tiers: TiersSection = TiersSection()
    prices: dict[str, PriceSection] = Field(default_factory=dict)
    budgets: BudgetsSection = BudgetsSection()
    policy: PolicySection = PolicySection()
    delivery: DeliverySection = DeliverySection()
    forges: dict[str, ForgeSection] = Field(default_factory=dict)
    intake: IntakeSection = IntakeSection()
    gates: GatesSection = GatesSection()
    reviewers: tuple[ReviewersRule, ...] = ()
    notify: dict[str, tuple[VariableName, ...]] = Field(default_factory=dict)
    """A reviewer's name, or ``everybody``, to the variables that hold apprise URLs."""
    listen: ListenSection = ListenSection()
    sources: dict[str, SourceSection] = Field(default_factory=dict)
