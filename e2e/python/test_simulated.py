"""A gateway started without any configuration: the simulated provider answers."""

import json

import openai
import pytest

HELLO = [{"role": "user", "content": "Say hello"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def test_any_model_is_answered(bare):
    reply = bare.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert reply.model == "gpt-4o"
    assert reply.choices[0].message.content
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_it_is_deterministic_and_streams_the_same(bare):
    ask = {"model": "gpt-4o", "messages": HELLO}
    replies = [bare.chat.completions.create(**ask).choices[0].message.content for _ in range(2)]
    # From the cache it would come in one piece.
    anew = {"cache-control": "no-cache"}
    chunks = list(bare.chat.completions.create(stream=True, extra_headers=anew, **ask))
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert replies == [streamed, streamed]
    assert len(chunks) > 3
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_tools(bare):
    ask = {"model": "gpt-4o", "tools": [WEATHER]}
    messages = [{"role": "user", "content": "How is the weather in Paris?"}]
    with bare.chat.completions.stream(messages=messages, **ask) as stream:
        first = stream.get_final_completion().choices[0]
    assert first.finish_reason == "tool_calls"
    (call,) = first.message.tool_calls
    assert call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments), dict)
    messages += [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "weather", "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny"},
    ]
    second = bare.chat.completions.create(messages=messages, **ask).choices[0]
    assert second.finish_reason == "stop" and second.message.content


def test_it_says_that_it_is_simulated(bare):
    assert any("simulated" in model.id for model in bare.models.list())


def test_bad_input(bare):
    with pytest.raises(openai.BadRequestError):
        bare.chat.completions.create(model="gpt-4o", messages="hello")
