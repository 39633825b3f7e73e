"""Mistral's SDK as a client: its chat is of OpenAI's shape, and it holds replies to that strictly."""

import json

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import MistralError

from conftest import OPEN
from crossing import (
    ANSWER,
    CITIES,
    COUNTING,
    GREETING,
    HELLO,
    PARAMETERS,
    QUESTION,
    every_provider,
    model_of,
)

TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}


@pytest.fixture
def mistral():
    with Mistral(api_key="sk-anything", server_url=OPEN, timeout_ms=30_000) as it:
        yield it


def said(text):
    return [{"role": "user", "content": text}]


@every_provider
def test_a_reply_and_a_stream(mistral, provider):
    ask = {"model": model_of(provider), "messages": said(HELLO)}
    reply = mistral.chat.complete(**ask)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (GREETING, "stop")
    assert reply.model == model_of(provider)
    if provider in COUNTING:
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 5)
    with mistral.chat.stream(**ask) as events:
        choices = [choice for event in events for choice in event.data.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == GREETING
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]


@every_provider
def test_tools(mistral, provider):
    ask = {"model": model_of(provider), "tools": [TOOL]}
    messages = said(QUESTION)
    first = mistral.chat.complete(messages=messages, **ask).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == CITIES
    messages.append(first.message)
    for call in calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "fine"})
    assert mistral.chat.complete(messages=messages, **ask).choices[0].message.content == ANSWER


@every_provider
def test_a_limit(mistral, provider):
    with pytest.raises(MistralError, match="Slow down") as error:
        mistral.chat.complete(model=model_of(provider), messages=said("limit"))
    assert error.value.status_code == 429
