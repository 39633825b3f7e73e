"""A real llama.cpp server with a small real model, spoken to in every dialect."""

import json
import os
from typing import Literal

import pytest
from google.genai import types
from pydantic import BaseModel

from conftest import eventually, fetch, rows

LLAMA = os.environ["E2E_LLAMA_URL"]
MODEL = "llama/smollm2"
QUESTION = "What is the capital of France? Answer with one word."
MOST = 8


class Capital(BaseModel):
    capital: Literal["Paris", "Rome"]


def chat(client, anthropic, gemini):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        max_tokens=MOST,
        temperature=0,
        messages=[{"role": "user", "content": QUESTION}],
    )
    reply = raw.parse()
    usage = reply.usage
    text = reply.choices[0].message.content
    return text, usage.prompt_tokens, usage.completion_tokens, raw.headers


def chat_stream(client, anthropic, gemini):
    stream = client.chat.completions.create(
        model=MODEL,
        max_tokens=MOST,
        temperature=0,
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    usage = chunks[-1].usage
    return text, usage.prompt_tokens, usage.completion_tokens, stream.response.headers


def responses(client, anthropic, gemini):
    raw = client.responses.with_raw_response.create(
        model=MODEL, max_output_tokens=MOST, temperature=0, input=QUESTION
    )
    reply = raw.parse()
    return reply.output_text, reply.usage.input_tokens, reply.usage.output_tokens, raw.headers


def responses_stream(client, anthropic, gemini):
    stream = client.responses.create(
        model=MODEL, max_output_tokens=MOST, temperature=0, input=QUESTION, stream=True
    )
    reply = list(stream)[-1].response
    usage = reply.usage
    return reply.output_text, usage.input_tokens, usage.output_tokens, stream.response.headers


def messages(client, anthropic, gemini):
    raw = anthropic.messages.with_raw_response.create(
        model=MODEL,
        max_tokens=MOST,
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"temperature": 0},
    )
    reply = raw.parse()
    return counted_apart(reply, raw.headers)


def messages_stream(client, anthropic, gemini):
    with anthropic.messages.stream(
        model=MODEL,
        max_tokens=MOST,
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"temperature": 0},
    ) as stream:
        return counted_apart(stream.get_final_message(), stream.response.headers)


def counted_apart(reply, headers):
    """Anthropic counts what came from a cache apart from the rest of the input."""
    usage = reply.usage
    read = usage.input_tokens + (usage.cache_read_input_tokens or 0)
    return reply.content[0].text, read, usage.output_tokens, headers


CONFIG = types.GenerateContentConfig(max_output_tokens=MOST, temperature=0)


def generate(client, anthropic, gemini):
    reply = gemini.models.generate_content(model=MODEL, contents=QUESTION, config=CONFIG)
    return generated(reply.text, reply)


def generate_stream(client, anthropic, gemini):
    chunks = list(
        gemini.models.generate_content_stream(model=MODEL, contents=QUESTION, config=CONFIG)
    )
    return generated("".join(chunk.text or "" for chunk in chunks), chunks[-1])


def generated(text, last):
    usage = last.usage_metadata
    headers = last.sdk_http_response.headers
    return text, usage.prompt_token_count, usage.candidates_token_count, headers


@pytest.mark.parametrize(
    "say",
    [
        chat,
        chat_stream,
        responses,
        responses_stream,
        messages,
        messages_stream,
        generate,
        generate_stream,
    ],
)
def test_every_dialect(client, anthropic, gemini, say):
    text, read, written, headers = say(client, anthropic, gemini)
    assert "Paris" in text
    # The template and the question, whoever asks.
    assert 20 < read < 60
    assert 0 < written <= MOST
    (row,) = eventually(lambda: rows("id = ?", headers["x-request-id"]))
    assert row["outcome"] == "finished"
    assert (row["input_tokens"], row["output_tokens"]) == (read, written)


def test_a_schema(client):
    reply = client.chat.completions.parse(
        model=MODEL,
        max_tokens=100,
        temperature=0,
        messages=[{"role": "user", "content": QUESTION}],
        response_format=Capital,
    )
    assert reply.choices[0].message.parsed == Capital(capital="Paris")


def test_a_schema_from_another_dialect(gemini):
    reply = gemini.models.generate_content(
        model=MODEL,
        contents=QUESTION,
        config=types.GenerateContentConfig(
            max_output_tokens=100,
            temperature=0,
            response_mime_type="application/json",
            response_json_schema=Capital.model_json_schema(),
        ),
    )
    assert json.loads(reply.text) == {"capital": "Paris"}


def test_a_hang_up_frees_the_slot(anthropic):
    with anthropic.messages.stream(
        model=MODEL,
        max_tokens=3000,
        messages=[{"role": "user", "content": "Count from one to a thousand."}],
    ) as stream:
        next(iter(stream.text_stream))
        request_id = stream.response.headers["x-request-id"]
        assert busy()
    eventually(lambda: not busy(), seconds=20)
    (row,) = eventually(lambda: rows("id = ?", request_id))
    assert row["outcome"] == "cancelled"


def busy():
    return [slot for slot in json.loads(fetch(f"{LLAMA}/slots")) if slot["is_processing"]]


def test_tokens_are_counted_before_they_are_sent(anthropic):
    ask = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
    counted = anthropic.messages.count_tokens(**ask).input_tokens
    assert 10 < counted < 60
