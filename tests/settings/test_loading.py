import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from thirdshift.core.errors import ModelsUnavailable, SettingsInvalid
from thirdshift.core.ladder import Tier
from thirdshift.core.spec import GateKind, Risk
from thirdshift.settings import Settings, load_settings

Load = Callable[..., Settings]

WHOLE = """
plan_tier = "specialist"
[temporal]
address = "127.0.0.1:7233"
namespace = "night"
[ledger]
url = "postgresql+psycopg://line:hunter2@db.example/ledger"
[hub]
path = "trees.git"
[sandbox]
backend = "none"
setup_network = "host"
read_only = ["tools"]
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:8080/v1"
api_key_env = "LOCAL_API_KEY"
requests_per_minute = 120
[[tiers.economy]]
model = "local/qwen3-coder"
attempts = 3
effort = "low"
max_output_tokens = 4096
context_tokens = 32768
edit_format = "whole"
[[tiers.specialist]]
model = "anthropic/claude-sonnet-5-5"
[prices."local/qwen3-coder"]
input = "0.10"
cache_read = "0.02"
cache_write = "0.10"
output = "0.40"
[budgets]
job_usd = "5"
repository_day_usd = "20.5"
[policy.high]
first_tier = "economy"
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(toml: str = "", **environ: str) -> Settings:
        if toml:
            (tmp_path / "thirdshift.toml").write_text(toml)
        return load_settings(None, tmp_path, {"THIRDSHIFT_HOME": str(tmp_path / "home"), **environ})

    return load


def test_every_documented_key_is_read(load: Load, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    settings = load(WHOLE, LOCAL_API_KEY="k-local", ANTHROPIC_API_KEY="k-anthropic", USER="ann")
    assert settings.engine.kind == "address"
    assert settings.engine.namespace == "night"
    assert settings.hub_path == tmp_path / "trees.git"
    assert settings.sandbox.read_only == (str(tmp_path / "tools"),)
    local = settings.providers["local"]
    assert local.api_key is not None
    assert (local.api_key.get_secret_value(), local.requests_per_minute) == ("k-local", 120)
    assert [
        (r.model, r.tier, r.attempts, r.max_output_tokens, r.context_tokens) for r in settings.require_keys().rungs
    ] == [
        ("local/qwen3-coder", Tier.ECONOMY, 3, 4096, 32768),
        ("anthropic/claude-sonnet-5-5", Tier.SPECIALIST, 2, 8192, None),
    ]
    assert settings.plan_tier is Tier.SPECIALIST
    assert settings.prices == {
        "local/qwen3-coder": {"input": "0.10", "cache_read": "0.02", "cache_write": "0.10", "output": "0.40"}
    }
    assert settings.budgets.job_nano == 5_000_000_000
    assert settings.budgets.repository_day_nano == 20_500_000_000
    assert settings.budgets.team_month_nano is None
    assert settings.submitter == "ann"


def test_a_model_is_priced_by_its_own_reasoning_rate_or_as_a_vendors_model(load: Load) -> None:
    prices = load(
        "[prices.'own/a']\ninput='1'\noutput='2'\nreasoning='3'\n[prices.'own/b']\nprice_as='openai/gpt-5.5'\n"
    ).prices
    assert prices["own/a"] == {"input": "1", "output": "2", "reasoning": "3"}
    assert prices["own/b"] == {"price_as": "openai/gpt-5.5"}


def test_a_policy_table_keeps_the_defaults_of_what_it_leaves_out(load: Load) -> None:
    high = load('[policy.high]\nfirst_tier = "economy"\n').policy_for(Risk.HIGH)
    assert high.first_tier is Tier.ECONOMY
    assert high.gates == (GateKind.PLAN, GateKind.MERGE)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[sandbox]\nbackned = 'none'", "unknown key `backned` in [sandbox]; did you mean `backend`?"),
        ("[sandbocks]\nx = 1", "unknown key `sandbocks`; did you mean `sandbox`?"),
        ("[providers.local]\nkind='openai-chat'\nbase_uri='x'", "[providers.local]; did you mean `base_url`?"),
        ("[[tiers.economy]]\nmodel='a/b'\natempts=2", "in [tiers.economy.0]; did you mean `attempts`?"),
        ("[prices.'a/b']\ninput='1'\noutput='1'\ncache_reed='1'", "did you mean `cache_read`?"),
        ("[prices.'a/b']\ninput='1'", "output missing; write both, or price_as"),
        ("[prices.'a/b']\nprice_as='openai/gpt-5.5'\ninput='1'", "price_as stands alone"),
        ("[budgets]\njob_uds='5'", "did you mean `job_usd`?"),
        ("[policy.high]\nfirst_teir='economy'", "did you mean `first_tier`?"),
        ("[budgets]\njob_usd = 5.5", 'budgets.job_usd: money is written as a string: "5.5"'),
        ("[budgets]\njob_usd = 'lots'", "not an amount of US dollars"),
        ("[sandbox]\nbackend = 'docker'", "'bubblewrap', 'container' or 'none'"),
        (
            "[[tiers.economy]]\nmodel='openai/x'\ncontext_tokens=4096\nmax_output_tokens=4096",
            "tiers.economy.0: context_tokens = 4096 leaves no room for a prompt",
        ),
        ("[[tiers.economy]]\nmodel='nowhere/x'", "`nowhere/x` names no configured provider"),
        ("[[tiers.economy]]\nmodel='antropic/x'", "did you mean `anthropic`?"),
        ("[providers.s]\nkind='scripted'", 'script = "FILE.yaml"'),
        ("[providers.s]\nkind='scripted'\nscript='gone.yaml'", "no such file"),
        ("[providers.s]\nkind='openai-chat'", "needs base_url"),
        ("[sandbox]\nread_only = ['gone']", "no such directory"),
        ("[sandbox]\nsetup_hosts = ['10.0.0.1:443']", 'an address instead of a name; write it like "pypi.org:443"'),
        ("[sandbox]\nsetup_hosts = ['pypi.org:443']\nsetup_network = 'host'", "take one of them out"),
        ("[sandbox]\nsetup_hosts = ['pypi.org:443']\nbackend = 'none'", "needs a sandbox to hold setup back"),
        ("plan_tier = 'frontier'\n[[tiers.economy]]\nmodel='anthropic/x'", "the frontier tier has no rung"),
        ("[temporal\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_file_key_and_remedy(load: Load, tmp_path: Path, toml: str, said: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(toml)
    assert str(tmp_path / "thirdshift.toml") in str(refused.value)
    assert said in str(refused.value)


def test_hosts_for_setup_are_exact_and_shown(load: Load) -> None:
    settings = load("[sandbox]\nsetup_hosts = ['PyPI.org:443', 'files.pythonhosted.org:443']")
    assert settings.sandbox.setup_hosts == ("pypi.org:443", "files.pythonhosted.org:443")
    assert settings.describe()["sandbox"] == "bubblewrap, setup network pypi.org:443, files.pythonhosted.org:443"


def test_all_findings_are_told_at_once(load: Load) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load("[sandbox]\nbackned = 'none'\n[budgets]\njob_usd = 5")
    assert len(str(refused.value).splitlines()) == 2


def test_a_variable_overrides_the_file(load: Load) -> None:
    settings = load(
        "[budgets]\njob_usd = '5'\n[providers.my-local]\nkind='openai-chat'\nbase_url='http://a/v1'",
        THIRDSHIFT_BUDGETS__JOB_USD="1.25",
        THIRDSHIFT_PROVIDERS__MY_LOCAL__REQUESTS_PER_MINUTE="7",
        THIRDSHIFT_TIERS__ECONOMY='[{model = "my-local/m", attempts = 1}]',
    )
    assert settings.budgets.job_nano == 1_250_000_000
    assert settings.providers["my-local"].requests_per_minute == 7
    assert [rung.model for rung in settings.ladder.rungs] == ["my-local/m"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("THIRDSHIFT_SANDBOX__BACKNED", "none", "did you mean `backend`?"),
        ("THIRDSHIFT_BUDGETS__JOB_USD", "much", "not an amount"),
        ("THIRDSHIFT_TIERS__ECONOMY", "[{model = ", "not a TOML value"),
        ("THIRDSHIFT_TEMPORAL__NAMESPACE", "x", "temporal.address"),
    ],
)
def test_a_wrong_variable_is_named(load: Load, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=name) as refused:
        load(**{name: value})
    assert said in str(refused.value)


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="no such configuration file"):
        load_settings(Path("gone.toml"), tmp_path, {})


def test_the_file_beside_the_specs_is_found(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "thirdshift.toml").write_text("[hub]\npath = 'h.git'\n")
    settings = load_settings(None, tmp_path, {"THIRDSHIFT_HOME": "h"}, beside=Path("specs"))
    assert settings.config_path == tmp_path / "specs" / "thirdshift.toml"
    assert settings.hub_path == tmp_path / "specs" / "h.git"
    assert settings.home == tmp_path / "h"


def test_a_relative_ledger_file_counts_from_the_configuration(load: Load, tmp_path: Path) -> None:
    assert load("[ledger]\nurl = 'sqlite:///books.db'").ledger_url == f"sqlite:///{tmp_path}/books.db"


def test_temporal_is_the_file_then_the_environment_then_embedded(load: Load) -> None:
    assert load().engine.kind == "embedded"
    stated = load(TEMPORAL_ADDRESS="cloud.example:7233", TEMPORAL_NAMESPACE="prod", TEMPORAL_API_KEY="k-cloud")
    assert (stated.engine.kind, stated.engine.namespace) == ("environment", "prod")
    assert "k-cloud" not in repr(stated)
    both = load("[temporal]\naddress = 'here:1'", TEMPORAL_ADDRESS="cloud.example:7233")
    assert (both.engine.kind, both.engine.address) == ("address", "here:1")


@pytest.mark.parametrize("vendor", ["anthropic", "openai"])
def test_a_key_alone_gives_a_ladder_of_that_vendor_that_can_be_priced(load: Load, vendor: str) -> None:
    settings = load(**{f"{vendor.upper()}_API_KEY": "k"})
    assert settings.ladder_is_default
    assert [rung.tier for rung in settings.require_keys().rungs] == list(Tier)
    for rung in settings.ladder.rungs:
        assert rung.attempts == 2
        price = calc_price(Usage(input_tokens=1_000_000), rung.vendor_model, provider_id=rung.provider)
        assert price.total_price > 0


def test_two_keys_give_siblings_in_every_tier_and_still_reach_the_top_in_six_attempts(load: Load) -> None:
    rungs = load(ANTHROPIC_API_KEY="a", OPENAI_API_KEY="b").ladder.rungs
    assert len(rungs) == 6
    assert sum(rung.attempts for rung in rungs) == 6
    assert [rung.tier.height for rung in rungs] == [0, 0, 1, 1, 2, 2]


def test_without_key_and_provider_the_three_remedies_are_named(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ModelsUnavailable) as refused:
        load().require_keys()
    for remedy in ("ANTHROPIC_API_KEY", str(tmp_path / "home" / "secrets.env"), "[providers.NAME]"):
        assert remedy in str(refused.value)


def test_a_rung_without_its_key_is_named_with_the_variable(load: Load) -> None:
    settings = load("[[tiers.economy]]\nmodel = 'openai/gpt-6-luna'")
    settings.require_ladder()
    with pytest.raises(ModelsUnavailable, match=r"(?s)OPENAI_API_KEY.*openai/gpt-6-luna"):
        settings.require_keys()


def test_a_vendors_key_goes_to_no_other_address_unless_told(load: Load) -> None:
    elsewhere = "[providers.mirror]\nkind='anthropic'\nbase_url='http://mirror.example'\n"
    assert load(elsewhere, ANTHROPIC_API_KEY="k").providers["mirror"].api_key is None
    told = load(elsewhere + "api_key_env='ANTHROPIC_API_KEY'\n", ANTHROPIC_API_KEY="k")
    assert told.providers["mirror"].api_key is not None


def test_no_key_and_no_password_is_ever_shown(load: Load, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    settings = load(WHOLE, LOCAL_API_KEY="k-local", ANTHROPIC_API_KEY="k-anthropic")
    shown = f"{settings!r} {settings} {settings.describe()} {settings.model_dump_json()}"
    assert "k-local" not in shown
    assert "k-anthropic" not in shown
    assert "hunter2" not in str(settings.describe())
    assert settings.describe()["provider local"].endswith("LOCAL_API_KEY set")


def test_without_a_user_in_the_environment_the_account_submits(tmp_path: Path) -> None:
    settings = load_settings(cwd=tmp_path, environ={"HOME": str(tmp_path)})
    assert settings.submitter == pwd.getpwuid(os.getuid()).pw_name


def test_the_team_is_a_key_of_its_own_and_the_environment_overrides_it(load: Load) -> None:
    assert load().team == "default"
    assert load('team = "payments"').team == "payments"
    found = load('team = "payments"', THIRDSHIFT_TEAM="checkout")
    assert (found.team, found.describe()["team"]) == ("checkout", "checkout")


def test_a_team_that_would_be_no_key_of_a_budget_is_refused(load: Load) -> None:
    with pytest.raises(SettingsInvalid, match="team"):
        load('team = "a|b"')
