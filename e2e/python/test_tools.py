"""Tools: two calls at once, their results, the answer."""

import json

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
            "required": ["city"],
        },
    },
}
QUESTION = {"role": "user", "content": "How is the weather in Paris and in Tokyo?"}


def answers(calls):
    """What an application sends back for the calls."""
    return [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": f"{json.loads(call.function.arguments)['city']} is fine",
        }
        for call in calls
    ]


def test_a_round_trip(client, tag):
    ask = {"model": "mock/tools", "tools": [WEATHER], "user": tag}
    first = client.chat.completions.create(messages=[QUESTION], **ask).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [call.id for call in calls] == ["call_paris", "call_tokyo"]
    messages = [QUESTION, first.message.to_dict(), *answers(calls)]
    second = client.chat.completions.create(messages=messages, **ask).choices[0]
    assert second.message.content == "The tools said: Paris is fine, 東京 is fine"
    before, after = tag.arrived
    assert before.json["tools"] == after.json["tools"] == [WEATHER]
    assert after.json["messages"] == messages


def test_a_round_trip_as_streams(client):
    ask = {"model": "mock/tools", "tools": [WEATHER]}
    with client.chat.completions.stream(messages=[QUESTION], **ask) as stream:
        pieces = [
            event for event in stream if event.type == "tool_calls.function.arguments.delta"
        ]
        first = stream.get_final_completion().choices[0]
    assert first.finish_reason == "tool_calls"
    assert len(pieces) > 6, "the arguments come piece by piece"
    cities = [json.loads(call.function.arguments)["city"] for call in first.message.tool_calls]
    assert cities == ["Paris", "東京"]
    message = {
        "role": "assistant",
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": "weather", "arguments": call.function.arguments},
            }
            for call in first.message.tool_calls
        ],
    }
    messages = [QUESTION, message, *answers(first.message.tool_calls)]
    with client.chat.completions.stream(messages=messages, **ask) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "The tools said: Paris is fine, 東京 is fine"
