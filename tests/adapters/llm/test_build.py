from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.llm.requests import KEY, request, said
from tests.fakes.wire.dialects import DIALECTS, Dialect
from tests.fakes.wire.http_server import Recorded, Reply, WireServer
from thirdshift.adapters.llm.build import build_model
from thirdshift.core.conversation import Text
from thirdshift.core.errors import ModelFault, SettingsInvalid

AMBIENT = {
    "OPENAI_API_KEY": "ambient-key",
    "OPENAI_ADMIN_KEY": "ambient-key",
    "OPENAI_ORG_ID": "ambient-org",
    "OPENAI_PROJECT_ID": "ambient-project",
    "OPENAI_CUSTOM_HEADERS": "X-Ambient: ambient-header\nAuthorization: Bearer ambient-key",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/ambient",
    "ANTHROPIC_API_KEY": "ambient-key",
    "ANTHROPIC_AUTH_TOKEN": "ambient-key",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Ambient: ambient-header\nAuthorization: Bearer ambient-key",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/ambient",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("key", [KEY, None], ids=["with a key", "without a key"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
async def test_nothing_of_the_environment_goes_out(
    dialect: Dialect, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    async with WireServer(lambda _: dialect.streamed(said(Text(text="Hi.")))) as server:
        model = build_model(dialect.kind, name="acme", base_url=server.url + dialect.base_path, api_key=key)
        assert (await model.answer(request(), lambda: None)).message.text == "Hi."
        await model.close()
    headers = server.requests[0].headers
    assert "ambient" not in str(headers).lower()
    assert headers.get("authorization") == (f"Bearer {key}" if key else None)
    assert not [name for name in headers if name.startswith(("x-", "openai-"))]


async def test_a_redirect_is_not_followed_so_the_key_goes_nowhere_else() -> None:
    async with WireServer(lambda _: Reply()) as elsewhere:

        def redirect(_: Recorded) -> Reply:
            return Reply(status=307, headers={"location": elsewhere.url}, framing="length")

        async with WireServer(redirect) as server:
            model = build_model("openai-chat", name="acme", base_url=server.url + "/v1", api_key=KEY)
            with pytest.raises(ModelFault):
                await model.answer(request(), lambda: None)
            await model.close()
    assert elsewhere.requests == []


async def test_credentials_in_an_address_are_not_shown(unused_tcp_port: int) -> None:
    url = f"http://user:hunter2@127.0.0.1:{unused_tcp_port}/v1"
    model = build_model("openai-chat", name="acme", base_url=url)
    with pytest.raises(ModelFault) as caught:
        await model.answer(request(), lambda: None)
    await model.close()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "gemini"}, "unknown kind 'gemini'; it is one of anthropic, openai, openai-chat, scripted"),
        ({"kind": "anthropic"}, "needs an API key"),
        ({"kind": "openai", "api_key": ""}, "needs an API key"),
        ({"kind": "openai", "api_key": "sk-a\nb"}, "control character"),
        ({"kind": "openai-chat", "base_url": "localhost:8080"}, "is no address"),
        ({"kind": "scripted"}, "needs `script`"),
        ({"kind": "scripted", "script_path": "/nowhere/x.yaml"}, "/nowhere/x.yaml: the script cannot be read"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"acme|nowhere") as caught:
        build_model(name="acme", **arguments)
    assert words in str(caught.value)
    assert "sk-a" not in str(caught.value)


async def test_a_scripted_model_is_built_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "play.yaml"
    path.write_text("version: 1\nplays: [{steps: [{say: Hello.}]}]\n")
    model = build_model("scripted", name="acme", script_path=str(path))
    assert (await model.answer(request(), lambda: None)).message.text == "Hello."
