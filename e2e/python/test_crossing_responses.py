"""OpenAI's SDK, Responses, before upstreams of every protocol."""

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
TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}


def test_a_reply(client, provider):
    raw = client.responses.with_raw_response.create(model=model_of(provider), input=HELLO)
    reply = raw.parse()
    assert reply.output_text == GREETING
    assert (reply.model, reply.status) == (model_of(provider), "completed")
    (row,) = eventually(lambda: rows("id = ?", raw.headers["x-request-id"]))
    assert (row["outcome"], row["finish_reason"]) == ("finished", "stop")
    if provider in COUNTING:
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)
        assert (row["input_tokens"], row["output_tokens"]) == (11, 5)


def test_a_stream(client, provider):
    with client.responses.stream(model=model_of(provider), input=HELLO) as stream:
        numbers = [event.sequence_number for event in stream]
        reply = stream.get_final_response()
    if provider != "openai":
        # aimock leaves them out, and what is carried is not made up.
        assert numbers == list(range(len(numbers)))
    assert reply.output_text == GREETING
    assert (reply.model, reply.status) == (model_of(provider), "completed")
    if provider in COUNTING:
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)


@whole_and_streamed
def test_tools(client, provider, stream):
    ask = {"model": model_of(provider), "tools": [TOOL], "store": False}
    items = [{"role": "user", "content": QUESTION}]
    if stream:
        with client.responses.stream(input=items, **ask) as events:
            reply = events.until_done().get_final_response()
    else:
        reply = client.responses.create(input=items, **ask)
    calls = [item for item in reply.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == CITIES
    for item in reply.output:
        items.append(item.to_dict(exclude_none=True) if not stream else plain(item))
    for call, result in zip(calls, RESULTS):
        items.append(
            {"type": "function_call_output", "call_id": call.call_id, "output": result}
        )
    assert client.responses.create(input=items, **ask).output_text == ANSWER


def plain(item):
    """Without what the SDK's parser adds, which is no part of the protocol."""
    return {k: v for k, v in item.to_dict(exclude_none=True).items() if k != "parsed_arguments"}


def test_a_limit(client, provider):
    with pytest.raises(openai.RateLimitError) as error:
        client.responses.create(model=model_of(provider), input="limit")
    assert "Slow down" in error.value.message
    assert error.value.response.headers["retry-after"] == "30"


def test_a_cut_stream(client, provider):
    seen = []
    stream = client.responses.create(model=model_of(provider), input="cut", stream=True)
    try:
        for event in stream:
            seen.append(event)
    except openai.APIError:
        pass
    else:
        # The SDK leaves it to the reader to see that it has failed.
        assert seen[-1].type in {"response.failed", "error"}
    text = [event.delta for event in seen if event.type == "response.output_text.delta"]
    assert "".join(text).startswith("This will")
    kinds = {event.type for event in seen}
    assert not kinds & {"response.completed", "response.incomplete"}
    (row,) = eventually(lambda: rows("id = ?", stream.response.headers["x-request-id"]))
    assert (row["outcome"], row["error_source"]) == ("failed", "provider")
