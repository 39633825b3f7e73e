"""OpenAI's SDK, Chat Completions, before upstreams of every protocol."""

import json

import openai
import pytest

from conftest import eventually, rows
from crossing import (
    ANSWER,
    CITIES,
    COUNTING,
    GREETING,
    HELLO,
    PARAMETERS,
    QUESTION,
    RESULTS,
    every_provider,
    model_of,
    whole_and_streamed,
)

pytestmark = every_provider
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Today's weather", "parameters": PARAMETERS},
}


def said(text):
    return [{"role": "user", "content": text}]


def test_a_reply(client, provider):
    raw = client.chat.completions.with_raw_response.create(
        model=model_of(provider), messages=said(HELLO)
    )
    reply = raw.parse()
    assert reply.choices[0].message.content == GREETING
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == model_of(provider)
    (row,) = eventually(lambda: rows("id = ?", raw.headers["x-request-id"]))
    assert (row["outcome"], row["finish_reason"]) == ("finished", "stop")
    if provider in COUNTING:
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 5)
        assert (row["input_tokens"], row["output_tokens"]) == (11, 5)


def test_a_stream(client, provider):
    chunks = list(
        client.chat.completions.create(
            model=model_of(provider),
            messages=said(HELLO),
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert {chunk.model for chunk in chunks} == {model_of(provider)}
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == GREETING
    assert [c.finish_reason for c in choices if c.finish_reason] == ["stop"]
    if provider in COUNTING:
        usage = chunks[-1].usage
        assert (usage.prompt_tokens, usage.completion_tokens) == (11, 5)


@whole_and_streamed
def test_tools(client, provider, stream):
    ask = {"model": model_of(provider), "tools": [TOOL]}
    messages = said(QUESTION)
    if stream:
        with client.chat.completions.stream(messages=messages, **ask) as events:
            first = events.get_final_completion().choices[0]
    else:
        first = client.chat.completions.create(messages=messages, **ask).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [call.function.name for call in calls] == ["weather", "weather"]
    assert [json.loads(call.function.arguments) for call in calls] == CITIES
    assert len({call.id for call in calls}) == 2
    messages.append(
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": call.function.name,
                        "arguments": call.function.arguments,
                    },
                }
                for call in calls
            ],
        }
    )
    for call, result in zip(calls, RESULTS):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    reply = client.chat.completions.create(messages=messages, **ask)
    assert reply.choices[0].message.content == ANSWER


def test_a_limit(client, provider):
    with pytest.raises(openai.RateLimitError) as error:
        client.chat.completions.create(model=model_of(provider), messages=said("limit"))
    assert "Slow down" in error.value.message
    assert error.value.response.headers["retry-after"] == "30"


def test_a_cut_stream(client, provider):
    seen = []
    stream = client.chat.completions.create(
        model=model_of(provider), messages=said("cut"), stream=True
    )
    with pytest.raises(openai.APIError):
        for chunk in stream:
            seen += chunk.choices
    assert "".join(choice.delta.content or "" for choice in seen).startswith("This will")
    assert not [choice for choice in seen if choice.finish_reason]
    (row,) = eventually(lambda: rows("id = ?", stream.response.headers["x-request-id"]))
    assert (row["outcome"], row["error_source"]) == ("failed", "provider")
