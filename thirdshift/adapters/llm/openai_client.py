"""The OpenAI SDK's client as both of its dialects use it."""

from __future__ import annotations

import hashlib

import openai

from thirdshift.adapters.llm.canonical import canonical_json
from thirdshift.adapters.llm.connection import NO_KEY, open_client
from thirdshift.adapters.llm.fault_translation import SdkErrors
from thirdshift.core.ports import ModelRequest

OPENAI_ERRORS = SdkErrors(
    root=openai.OpenAIError,
    status=openai.APIStatusError,
    invalid=openai.APIResponseValidationError,
    connection=openai.APIConnectionError,
    any_answer=openai.APIError,
)

DEFAULT_BASE_URL = "https://api.openai.com/v1"


def open_sdk(base_url: str, api_key: str | None) -> openai.AsyncOpenAI:
    """A client that never retries and takes nothing from the environment."""
    return openai.AsyncOpenAI(
        api_key=api_key or NO_KEY,
        base_url=base_url,
        max_retries=0,
        http_client=open_client(base_url, api_key),
    )


def cache_key(request: ModelRequest) -> str:
    """A name for the conversation, equal in all its requests: it routes them to the machine that has the prefix.

    A hash of the system text, the tools and the first turn; it says nothing about them.
    """
    first = [message.model_dump(mode="json") for message in request.messages[:1]]
    tools = [tool.model_dump(mode="json") for tool in request.tools]
    whole = canonical_json([request.model, request.system, tools, first])
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:32]
