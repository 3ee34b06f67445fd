"""From a provider's configuration to a model: everything comes as an argument, nothing from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from thirdshift.adapters.llm.script_format import load_script
from thirdshift.adapters.llm.scripted_model import ScriptedModel
from thirdshift.core.errors import SettingsInvalid
from thirdshift.core.ports import Model

ModelKind = Literal["anthropic", "openai", "openai-chat", "scripted"]


def build_model(
    kind: str,
    *,
    name: str,
    base_url: str | None = None,
    api_key: str | None = None,
    script_path: str | None = None,
    state_dir: str | None = None,
) -> Model:
    """A provider's model adapter. Must be closed when no longer used.

    ``kind`` is one of ``ModelKind``; ``name`` is the provider's name in the configuration. Without ``base_url`` the
    vendor itself is called, which needs ``api_key``; a compatible server may need none. ``script_path`` and
    ``state_dir`` (where faults with ``times`` are counted) are for ``scripted``.

    Raises ``SettingsInvalid`` with the remedy for a kind that is not known, a missing key, a bad address or a bad
    script.
    """
    if kind == "scripted":
        if script_path is None:
            raise SettingsInvalid(f'provider {name}: kind "scripted" needs `script`, the path of a file to play')
        script = load_script(Path(script_path))
        return ScriptedModel(name=name, script=script, state_dir=Path(state_dir) if state_dir else None)
    if kind not in get_args(ModelKind):
        known = ", ".join(get_args(ModelKind))
        raise SettingsInvalid(f"provider {name}: unknown kind {kind!r}; it is one of {known}")
    _check_address(name, base_url)
    if base_url is None and not api_key:
        raise SettingsInvalid(
            f"provider {name}: {kind} without `base_url` calls the vendor itself and needs an API key; "
            "set `api_key_env` to the name of the variable that holds it"
        )
    if api_key and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise SettingsInvalid(f"provider {name}: the API key holds a blank or a control character")
    return _vendor_model(kind, name, base_url, api_key)


def _vendor_model(kind: str, name: str, base_url: str | None, api_key: str | None) -> Model:
    # Imported here because the SDKs take more than a second to import, and the scripted model needs none of them.
    if kind == "anthropic":
        from thirdshift.adapters.llm.anthropic_model import AnthropicModel

        return AnthropicModel(name=name, base_url=base_url, api_key=api_key)
    if kind == "openai":
        from thirdshift.adapters.llm.responses_model import OpenAIResponsesModel

        return OpenAIResponsesModel(name=name, base_url=base_url, api_key=api_key)
    from thirdshift.adapters.llm.chat_model import OpenAIChatModel

    return OpenAIChatModel(name=name, base_url=base_url, api_key=api_key)


def _check_address(name: str, base_url: str | None) -> None:
    if base_url is None:
        return
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsInvalid(
            f'provider {name}: base_url {base_url!r} is no address; write it like "http://127.0.0.1:8080/v1"'
        )
