"""Thoughts: seen by the clients of every dialect, and taken back in the next turn."""

import pytest
from google.genai import types

from crossing import model_of

# aimock's Cohere and Ollama tell thoughts in a shape that Cohere and Ollama do not have, or not at all.
pytestmark = pytest.mark.parametrize("provider", ["chat", "openai", "claude", "gemini"])
THOUGHT = "Six times seven."
QUESTION = "Please think: what is six times seven?"


def test_messages(anthropic, provider):
    request = {
        "model": model_of(provider),
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "messages": [{"role": "user", "content": QUESTION}],
    }
    whole = anthropic.messages.create(**request)
    with anthropic.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    for reply in (whole, streamed):
        thought, text = reply.content
        assert (thought.type, thought.thinking, text.text) == ("thinking", THOUGHT, "42")
        request["messages"] += [
            {"role": "assistant", "content": reply.content},
            {"role": "user", "content": QUESTION},
        ]
        assert anthropic.messages.create(**request).content[-1].text == "42"


def test_gemini(gemini, provider):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    chat = gemini.chats.create(model=model_of(provider), config=config)
    for _ in range(2):
        reply = chat.send_message(QUESTION)
        assert "".join(part.text for part in reply.parts if part.thought) == THOUGHT
        assert reply.text == "42"


def test_responses(client, provider):
    items = [{"role": "user", "content": QUESTION}]
    for _ in range(2):
        with client.responses.stream(
            model=model_of(provider), input=items, reasoning={"summary": "auto"}, store=False
        ) as stream:
            reply = stream.until_done().get_final_response()
        thought = next(item for item in reply.output if item.type == "reasoning")
        assert thought.summary[0].text == THOUGHT
        assert reply.output_text == "42"
        items += [
            thought.to_dict(exclude_none=True),
            {"role": "assistant", "content": reply.output_text},
            items[0],
        ]
