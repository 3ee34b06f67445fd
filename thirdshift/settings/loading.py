"""From thirdshift.toml, the environment and the secrets file to ``Settings``."""

from __future__ import annotations

import os
import pwd
import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import SecretStr, ValidationError

from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.ladder import Ladder, Rung
from thirdshift.settings.complaints import complaints
from thirdshift.settings.delivery import delivery_access, forge_access
from thirdshift.settings.duties import Duty, names_for
from thirdshift.settings.environment import DUTY, KEYS_ELSEWHERE, overlay, process_environment
from thirdshift.settings.intake import intake_from
from thirdshift.settings.listening import event_source
from thirdshift.settings.model import Provider, Settings
from thirdshift.settings.reviewing import notified
from thirdshift.settings.secrets_file import read_secrets
from thirdshift.settings.sections import ConfigFile, ProviderSection
from thirdshift.settings.vendor_ladders import VENDOR_KEYS, vendor_ladder

FILE_NAME = "thirdshift.toml"
_MAX_BYTES = 1 << 20
_PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def load_settings(
    config_path: Path | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    beside: Path | None = None,
    duty: Duty | None = None,
) -> Settings:
    """Read the configuration; raises SettingsInvalid with one line for each finding.

    The file is ``config_path``, else THIRDSHIFT_CONFIG, else thirdshift.toml in ``cwd``, else the one in the
    directory ``beside`` (where the specs are), else none. Relative paths in it count from its own directory.
    With a ``duty``, the secrets of other duties are not in what is returned, and for ``hosts`` not even read.
    """
    environ = process_environment() if environ is None else environ
    cwd = (cwd or Path.cwd()).absolute()
    path = _find_file(config_path, cwd, environ, beside)
    raw = _read_toml(path) if path else {}
    sources = overlay(raw, environ)
    for vendor in VENDOR_KEYS:
        section = raw.get("providers", {}).get(vendor) if isinstance(raw.get("providers"), dict) else None
        if isinstance(section, dict):
            section.setdefault("kind", vendor)
    shown = str(path or FILE_NAME)
    try:
        file = ConfigFile.model_validate(raw)
    except ValidationError as error:
        raise SettingsInvalid("\n".join(complaints(error, ConfigFile, shown, sources))) from None
    return _settle(file, path, cwd, environ, duty)


def _find_file(config_path: Path | None, cwd: Path, environ: Mapping[str, str], beside: Path | None) -> Path | None:
    named = config_path or (Path(environ["THIRDSHIFT_CONFIG"]) if environ.get("THIRDSHIFT_CONFIG") else None)
    if named is not None:
        path = cwd / named.expanduser()
        if not path.is_file():
            raise SettingsInvalid(f"{path}: no such configuration file; `thirdshift init` writes one")
        return path
    candidates = [cwd / FILE_NAME, *([cwd / beside / FILE_NAME] if beside else [])]
    return next((path for path in candidates if path.is_file()), None)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise SettingsInvalid(f"{path}: larger than 1 MiB; that is no configuration file")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path}: not valid TOML: {error}") from None


def _settle(file: ConfigFile, path: Path | None, cwd: Path, environ: Mapping[str, str], duty: Duty | None) -> Settings:
    """Fill in what the file leaves open, and check what only the whole can show."""
    home = _home(cwd, environ)
    root = path.parent if path else cwd
    shown = str(path or FILE_NAME)
    secrets_path = home / "secrets.env"
    keys = _keys(names_for(duty, file), secrets_path, environ)
    delivers, calls = duty in (None, "delivery"), duty in (None, "models")
    away = frozenset[str]() if calls else _keys_elsewhere(file, environ)
    sections = {vendor: ProviderSection(kind=vendor) for vendor in ("anthropic", "openai")} | file.providers
    providers = {name: _provider(name, section, keys, root, shown, away) for name, section in sections.items()}
    rungs = file.tiers.rungs or _default_rungs(providers)
    _refuse_unknown_providers(rungs, providers, shown)
    if file.plan_tier and rungs and not any(rung.tier is file.plan_tier for rung in rungs):
        raise SettingsInvalid(
            f"{shown}: plan_tier: the {file.plan_tier} tier has no rung; add [[tiers.{file.plan_tier}]]"
        )
    _refuse_missing_directories(file.sandbox.read_only, root, shown)
    read_only = tuple(str(_below(root, directory)) for directory in file.sandbox.read_only)
    return Settings(
        home=home,
        config_path=path,
        secrets_path=secrets_path,
        engine=_engine(file, environ),
        ledger_url=_ledger_url(file.ledger.url, root) if file.ledger else f"sqlite:///{home / 'ledger.db'}",
        hub_path=_below(root, file.hub.path) if file.hub.path else home / "hub.git",
        hub_remote=file.hub.url,
        sandbox=file.sandbox.model_copy(update={"read_only": read_only}),
        providers={name: p for name, p in providers.items() if name in file.providers or p.api_key}
        | {rung.provider: providers[rung.provider] for rung in rungs},
        ladder=Ladder(rungs=rungs),
        ladder_is_default=not file.tiers.rungs,
        plan_tier=file.plan_tier,
        time_zone=file.time_zone,
        team=file.team,
        prices={model: price.model_dump(exclude_none=True) for model, price in file.prices.items()},
        budgets=file.budgets,
        policy=file.policy,
        delivery=delivery_access(file.delivery, root, environ, elsewhere=not delivers),
        intake=intake_from(file.intake, root),
        gates=file.gates,
        reviewers=file.reviewers,
        notify=notified(file.notify, keys, elsewhere=not delivers),
        forges=tuple(
            forge_access(name, section, keys, elsewhere=not delivers) for name, section in file.forges.items()
        ),
        listen=file.listen,
        sources=tuple(event_source(name, section, keys, shown) for name, section in file.sources.items()),
        submitter=environ.get("USER") or environ.get("LOGNAME") or _account(),
    )


def _keys(wanted: Collection[str] | None, secrets_path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Values by variable: all there are, or the wanted ones alone.

    The file is not opened where nothing is wanted, nor by a process whose environment was made for its duty: what was
    read once stays in memory, used or not.
    """
    if wanted is not None and not wanted:
        return {}
    written = {} if environ.get(DUTY) else read_secrets(secrets_path)
    found = {**written, **{name: value for name, value in environ.items() if value}}
    return found if wanted is None else {name: value for name, value in found.items() if name in wanted}


def _keys_elsewhere(file: ConfigFile, environ: Mapping[str, str]) -> frozenset[str]:
    """Keys that another process has: those that it was started with, else those that the written ladder takes."""
    if stated := environ.get(KEYS_ELSEWHERE):
        return frozenset(stated.split(","))
    return frozenset(names_for("models", file) or ()) if file.tiers.rungs else frozenset()


def _account() -> str:
    """The name of the account that this runs under, for services and containers that have no USER."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "unknown"


def _home(cwd: Path, environ: Mapping[str, str]) -> Path:
    stated = environ.get("THIRDSHIFT_HOME")
    return _below(cwd, stated) if stated else platformdirs.user_state_path("thirdshift", appauthor=False)


def _below(root: Path, path: str) -> Path:
    """The path, absolute; a relative one counts from ``root``."""
    return root / Path(path).expanduser()


def _ledger_url(url: str, root: Path) -> str:
    scheme, separator, path = url.partition("sqlite:///")
    if not separator or path.startswith((":memory:", "file:")):
        return url
    return f"{scheme}{separator}{_below(root, path)}"


def _engine(file: ConfigFile, environ: Mapping[str, str]) -> EngineTarget:
    """``[temporal]``, else TEMPORAL_* variables, else the embedded server."""
    if file.temporal:
        stated = file.temporal
        return EngineTarget(kind="address", address=stated.address, namespace=stated.namespace, ui_url=stated.ui_url)
    variables = {name: SecretStr(value) for name, value in environ.items() if name.startswith("TEMPORAL_") and value}
    if any(name.startswith(("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")) for name in variables):
        places = {name: SecretStr(environ[name]) for name in ("HOME", "XDG_CONFIG_HOME") if name in environ}
        return EngineTarget(
            kind="environment",
            address=environ.get("TEMPORAL_ADDRESS", ""),
            namespace=environ.get("TEMPORAL_NAMESPACE") or "default",
            variables=variables | places,
        )
    return EngineTarget(kind="embedded")


def _provider(
    name: str, section: ProviderSection, keys: Mapping[str, str], root: Path, shown: str, away: Collection[str]
) -> Provider:
    """The provider with its key, unless that is ``away`` in another process.

    A vendor's own key goes to no other address unless ``api_key_env`` says so.
    """
    if not _PROVIDER_NAME.fullmatch(name):
        raise SettingsInvalid(f"{shown}: [providers.{name}]: a provider's name is letters, digits, `.`, `_` and `-`")
    script = None
    if section.kind == "scripted":
        if not section.script:
            raise SettingsInvalid(f'{shown}: [providers.{name}] is scripted; say what it plays: script = "FILE.yaml"')
        script = _below(root, section.script)
        if not script.is_file():
            raise SettingsInvalid(f"{shown}: [providers.{name}] script: no such file: {script}")
    elif section.kind == "openai-chat" and not section.base_url:
        raise SettingsInvalid(f'{shown}: [providers.{name}] needs base_url = "http://HOST:PORT/v1"')
    variable = section.api_key_env or ("" if section.base_url else VENDOR_KEYS.get(section.kind, ""))
    key = keys.get(variable) if variable else None
    return Provider(
        name=name,
        kind=section.kind,
        base_url=section.base_url,
        key_variable=variable,
        api_key=SecretStr(key) if key else None,
        key_elsewhere=variable in away,
        requests_per_minute=section.requests_per_minute,
        script=script,
    )


def _default_rungs(providers: Mapping[str, Provider]) -> tuple[Rung, ...]:
    """The current models of every vendor whose key is there."""
    return vendor_ladder([vendor for vendor in VENDOR_KEYS if _has_key(providers[vendor])])


def _has_key(provider: Provider) -> bool:
    return provider.api_key is not None or provider.key_elsewhere


def _refuse_unknown_providers(rungs: tuple[Rung, ...], providers: Mapping[str, Provider], shown: str) -> None:
    lines = []
    for rung in rungs:
        if rung.provider not in providers:
            close = get_close_matches(rung.provider, list(providers), n=1)
            remedy = f"did you mean `{close[0]}`?" if close else f"add [providers.{rung.provider}]"
            lines.append(f"{shown}: tiers.{rung.tier}: `{rung.model}` names no configured provider; {remedy}")
    if lines:
        raise SettingsInvalid("\n".join(lines))


def _refuse_missing_directories(directories: tuple[str, ...], root: Path, shown: str) -> None:
    for directory in directories:
        if not _below(root, directory).is_dir():
            raise SettingsInvalid(f"{shown}: sandbox.read_only: no such directory: {_below(root, directory)}")
