"""LiteLLM as a client: its own adapters for three protocols."""

import json
import os

# Else it fetches prices from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import pytest

from conftest import OPEN
from crossing import ANSWER, CITIES, GREETING, HELLO, PARAMETERS, QUESTION, RESULTS, model_of

# LiteLLM's name of a protocol, and where it looks for it.
PROTOCOLS = {"openai": f"{OPEN}/v1", "anthropic": OPEN}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}

pytestmark = [
    pytest.mark.parametrize("provider", ["chat", "claude", "gemini"]),
    pytest.mark.parametrize("protocol", PROTOCOLS),
]


@pytest.fixture
def complete(protocol, provider):
    def complete(messages, **more):
        return litellm.completion(
            model=f"{protocol}/{model_of(provider)}",
            api_base=PROTOCOLS[protocol],
            api_key="sk-anything",
            messages=messages,
            max_tokens=99,
            max_retries=0,
            timeout=30,
            **more,
        )

    return complete


def said(text):
    return [{"role": "user", "content": text}]


def test_a_reply(complete):
    reply = complete(said(HELLO))
    assert reply.choices[0].message.content == GREETING
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 5)


def test_a_stream(complete):
    chunks = list(complete(said(HELLO), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == GREETING
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_tools(complete):
    messages = said(QUESTION)
    reply = complete(messages, tools=[TOOL]).choices[0]
    assert reply.finish_reason == "tool_calls"
    calls = reply.message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == CITIES
    messages.append(reply.message.model_dump())
    for call, result in zip(calls, RESULTS):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    assert complete(messages, tools=[TOOL]).choices[0].message.content == ANSWER


def test_a_limit(complete):
    with pytest.raises(litellm.RateLimitError):
        complete(said("limit"))
