"""Anthropic's SDK before upstreams of every protocol."""

import anthropic as sdk
import httpx2
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
TOOL = {"name": "weather", "description": "Today's weather", "input_schema": PARAMETERS}


def ask(provider, text, **more):
    return {
        "model": model_of(provider),
        "max_tokens": 99,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def test_a_reply(anthropic, provider):
    raw = anthropic.messages.with_raw_response.create(**ask(provider, HELLO))
    reply = raw.parse()
    assert [block.text for block in reply.content] == [GREETING]
    assert (reply.model, reply.stop_reason) == (model_of(provider), "end_turn")
    (row,) = eventually(lambda: rows("id = ?", raw.headers["x-request-id"]))
    assert (row["outcome"], row["finish_reason"]) == ("finished", "stop")
    if provider in COUNTING:
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)
        assert (row["input_tokens"], row["output_tokens"]) == (11, 5)


def test_a_stream(anthropic, provider):
    with anthropic.messages.stream(**ask(provider, HELLO)) as stream:
        text = "".join(stream.text_stream)
        reply = stream.get_final_message()
    assert text == GREETING
    assert (reply.model, reply.stop_reason) == (model_of(provider), "end_turn")
    if provider in COUNTING:
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)


@whole_and_streamed
def test_tools(anthropic, provider, stream):
    request = ask(provider, QUESTION, tools=[TOOL])
    if stream:
        with anthropic.messages.stream(**request) as events:
            reply = events.get_final_message()
    else:
        reply = anthropic.messages.create(**request)
    assert reply.stop_reason == "tool_use"
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert [call.input for call in calls] == CITIES
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": result}
        for call, result in zip(calls, RESULTS)
    ]
    request["messages"] += [
        {"role": "assistant", "content": reply.content},
        {"role": "user", "content": results},
    ]
    (block,) = anthropic.messages.create(**request).content
    assert block.text == ANSWER


def test_a_limit(anthropic, provider):
    with pytest.raises(sdk.RateLimitError) as error:
        anthropic.messages.create(**ask(provider, "limit"))
    assert error.value.body["error"]["type"] == "rate_limit_error"
    assert "Slow down" in error.value.body["error"]["message"]
    assert error.value.response.headers["retry-after"] == "30"


def test_a_cut_stream(anthropic, provider):
    seen = []
    stream = anthropic.messages.create(**ask(provider, "cut"), stream=True)
    with pytest.raises((sdk.APIError, httpx2.HTTPError)):
        for event in stream:
            seen.append(event)
    text = [event.delta.text for event in seen if event.type == "content_block_delta"]
    assert "".join(text).startswith("This will")
    assert "message_stop" not in {event.type for event in seen}
    (row,) = eventually(lambda: rows("id = ?", stream.response.headers["x-request-id"]))
    assert (row["outcome"], row["error_source"]) == ("failed", "provider")


def test_what_cannot_be_said_is_named(anthropic, provider):
    request = ask(provider, HELLO, extra_body={"top_k": 7})
    raw = anthropic.messages.with_raw_response.create(**request)
    dropped = raw.headers.get("x-gateway-dropped", "")
    if provider == "openai":
        assert "top_k" in dropped
        with pytest.raises(sdk.BadRequestError, match="top_k"):
            anthropic.messages.create(**request, extra_headers={"x-gateway-strict": "true"})
    else:
        assert "top_k" not in dropped
        anthropic.messages.create(**request, extra_headers={"x-gateway-strict": "true"})
