"""The database file afterwards: one row a request, with what is needed later."""

import httpx2
import openai
import pytest

from conftest import OPEN, eventually, rows

HELLO = [{"role": "user", "content": "Say hello"}]


def row_of(request_id):
    found = eventually(lambda: rows("id = ?", request_id))
    assert len(found) == 1
    return found[0]


def raw(body):
    return httpx2.post(f"{OPEN}/v1/chat/completions", json={"messages": HELLO, **body})


def test_a_reply(client):
    reply = client.chat.completions.with_raw_response.create(
        model="house-model", messages=HELLO
    )
    row = row_of(reply.headers["x-request-id"])
    assert row["outcome"] == "finished" and row["status"] == 200
    assert (row["requested_model"], row["provider"], row["upstream_model"]) == (
        "house-model",
        "mock",
        "chat",
    )
    assert (row["input_tokens"], row["cached_tokens"]) == (11, 4)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (5, 2)
    assert row["finish_reason"] == "stop" and row["stream"] == 0
    assert row["bytes_in"] > 0 and row["bytes_out"] == len(reply.content)
    assert 0 < row["latency_ms"] < 30_000


def test_a_stream(client):
    reply = raw({"model": "mock/paced-50-4", "stream": True})
    assert reply.status_code == 200
    row = row_of(reply.headers["x-request-id"])
    assert row["stream"] == 1 and row["outcome"] == "finished"
    assert (row["input_tokens"], row["output_tokens"]) == (11, 5)
    assert 0 < row["first_token_ms"] < row["latency_ms"]
    assert row["latency_ms"] >= 150


@pytest.mark.parametrize(
    ("model", "kind", "source", "status"),
    [
        ("mock/status-429", "rate_limited", "provider", 429),
        ("mock/status-500", "upstream_failed", "provider", 502),
        ("gone/chat", "unreachable", "provider", 502),
        ("impatient/stall-before-head", "timeout", "provider", 504),
        ("nobody/nothing", "not_found", "caller", 404),
    ],
)
def test_a_failure(model, kind, source, status):
    reply = raw({"model": model})
    row = row_of(reply.headers["x-request-id"])
    assert row["outcome"] == "failed" and row["status"] == reply.status_code == status
    assert (row["error_kind"], row["error_source"]) == (kind, source)
    assert row["requested_model"] == model


def test_a_broken_stream():
    with httpx2.stream(
        "POST",
        f"{OPEN}/v1/chat/completions",
        json={"model": "mock/no-done", "messages": HELLO, "stream": True},
    ) as reply:
        try:
            reply.read()
        except httpx2.HTTPError:
            pass
    row = row_of(reply.headers["x-request-id"])
    assert row["outcome"] == "failed" and row["error_kind"] == "bad_reply"


def test_a_hang_up(client):
    stream = client.chat.completions.create(model="mock/endless", messages=HELLO, stream=True)
    next(iter(stream))
    request_id = stream.response.headers["x-request-id"]
    stream.close()
    row = row_of(request_id)
    assert row["outcome"] == "cancelled"
    assert row["first_token_ms"] > 0


def test_one_row_a_request(client):
    before = len(rows())
    for stream in (False, True):
        for _ in range(5):
            reply = client.chat.completions.create(
                model="mock/chat", messages=HELLO, stream=stream
            )
            if stream:
                assert list(reply)
        for model in ("mock/status-500", "nobody/nothing"):
            with pytest.raises(openai.APIStatusError):
                client.chat.completions.create(model=model, messages=HELLO, stream=stream)
    eventually(lambda: len(rows()) >= before + 14)
    assert len(rows()) == before + 14
    assert len({row["id"] for row in rows()}) == len(rows())


def test_nothing_that_was_said_is_kept(client):
    secret = "the-prompt-that-nobody-may-keep"
    reply = client.chat.completions.with_raw_response.create(
        model="mock/chat", messages=[{"role": "user", "content": secret}]
    )
    row = row_of(reply.headers["x-request-id"])
    assert secret not in str(row) and "sk-anything" not in str(row)
