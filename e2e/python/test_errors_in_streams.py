"""Streams that fail after text has come: the error in the client's own protocol, never a silent end."""

import anthropic as claude
import openai
import pytest
from google.genai import errors

from conftest import eventually, rows

BEGUN = "and then"
TROUBLE = "The mock's engine is on fire"
HELLO = [{"role": "user", "content": "Say hello"}]

every_upstream = pytest.mark.parametrize(
    "provider", ["mock", "mock-claude", "mock-gemini", "mock-ollama"]
)
# The upstream says that it failed, or is gone.
said_or_gone = pytest.mark.parametrize("how", ["said", "gone"])


def model_of(provider, how):
    if provider == "mock":
        return f"mock/{'error-in-stream' if how == 'said' else 'cut'}"
    return f"{provider}/{'overloaded' if how == 'said' else 'broken-off'}"


def check_row(request_id):
    (row,) = eventually(lambda: rows("id = ?", request_id))
    assert (row["outcome"], row["error_source"], row["status"]) == ("failed", "provider", 200)
    assert row["stream"] == 1 and row["finish_reason"] is None
    return row


@every_upstream
@said_or_gone
def test_by_chat_completions(client, provider, how):
    stream = client.chat.completions.create(
        model=model_of(provider, how), messages=HELLO, stream=True
    )
    seen = []
    with pytest.raises(openai.APIError) as raised:
        for chunk in stream:
            seen += chunk.choices
    assert "".join(choice.delta.content or "" for choice in seen) == BEGUN
    assert not [choice for choice in seen if choice.finish_reason]
    assert raised.value.message and raised.value.type
    if how == "said":
        assert TROUBLE in raised.value.message
    check_row(stream.response.headers["x-request-id"])


@every_upstream
@said_or_gone
def test_by_responses(client, provider, how):
    stream = client.responses.create(
        model=model_of(provider, how), input="Say hello", stream=True, store=False
    )
    seen = []
    try:
        seen += stream
    except openai.APIError as error:
        # The SDK raises the event `error`.
        said = error.message
    else:
        assert seen[-1].type == "response.failed" and seen[-1].response.status == "failed"
        said = seen[-1].response.error.message
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    assert "".join(deltas) == BEGUN
    assert "response.completed" not in {event.type for event in seen}
    if how == "said":
        assert TROUBLE in said
    check_row(stream.response.headers["x-request-id"])


@every_upstream
@said_or_gone
def test_by_messages(anthropic, provider, how):
    stream = anthropic.messages.create(
        model=model_of(provider, how), max_tokens=99, messages=HELLO, stream=True
    )
    seen = []
    with pytest.raises(claude.APIStatusError) as raised:
        for event in stream:
            seen.append(event)
    text = [event.delta.text for event in seen if event.type == "content_block_delta"]
    assert "".join(text) == BEGUN
    assert not {"message_delta", "message_stop"} & {event.type for event in seen}
    body = raised.value.body
    assert body["type"] == "error" and body["error"]["message"]
    assert body["error"]["type"] in {"api_error", "overloaded_error"}
    if how == "said":
        assert TROUBLE in body["error"]["message"]
        if provider in ("mock-claude", "mock-gemini"):
            assert body["error"]["type"] == "overloaded_error"
    check_row(stream.response.headers["x-request-id"])


@every_upstream
@said_or_gone
def test_by_generate_content(gemini, provider, how):
    seen = []
    with pytest.raises(errors.APIError) as raised:
        for chunk in gemini.models.generate_content_stream(
            model=model_of(provider, how), contents="Say hello"
        ):
            seen.append(chunk)
    assert "".join(chunk.text or "" for chunk in seen) == BEGUN
    assert not [c for chunk in seen for c in chunk.candidates or [] if c.finish_reason]
    assert raised.value.code >= 500 and raised.value.status and raised.value.message
    if how == "said":
        assert TROUBLE in raised.value.message
        if provider in ("mock-claude", "mock-gemini"):
            assert (raised.value.code, raised.value.status) == (503, "UNAVAILABLE")
    check_row(seen[0].sdk_http_response.headers["x-request-id"])
