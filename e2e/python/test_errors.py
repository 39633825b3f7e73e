"""Errors: typed by the SDK, JSON in OpenAI's shape, with the right status."""

import time

import httpx2
import openai
import pytest

from conftest import BARE, KEY, KEYED, OPEN

HELLO = [{"role": "user", "content": "Say hello"}]


def ask(client, model, **more):
    return client.chat.completions.create(model=model, messages=HELLO, **more)


def in_shape(reply):
    """The error of a raw reply, which must look as OpenAI's do."""
    assert reply.headers["content-type"].split(";")[0] == "application/json"
    error = reply.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert error["message"] and error["type"]
    return error


def test_a_wrong_key(keyed):
    with pytest.raises(openai.AuthenticationError) as raised:
        ask(keyed.with_options(api_key="sk-wrong"), "mock/chat")
    assert raised.value.status_code == 401
    assert raised.value.code == "invalid_api_key"
    assert "sk-wrong" not in str(raised.value)


def test_no_key():
    reply = httpx2.post(
        f"{KEYED}/v1/chat/completions", json={"model": "mock/chat", "messages": HELLO}
    )
    assert reply.status_code == 401
    assert in_shape(reply)["code"] == "invalid_api_key"


def test_the_right_key_stays_here(keyed, tag):
    assert ask(keyed, "mock/chat", user=tag).choices[0].message.content == "Hello, world"
    assert KEY not in str(tag.only.headers)


def test_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as raised:
        ask(client, "mock-of-nobody/chat")
    assert raised.value.code == "model_not_found"
    assert "mock-of-nobody/chat" in raised.value.message


def test_an_unknown_provider(client):
    with pytest.raises(openai.NotFoundError) as raised:
        ask(client.with_options(default_headers={"x-llm-provider": "nobody"}), "mock/chat")
    assert "nobody" in raised.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b'{"model": "mock/chat", "messages": [}',
        b'{"model": 7, "messages": []}',
        b'{"model": "mock/chat"}',
        b'{"model": "mock/chat", "messages": "hello"}',
        b'{"model": "mock/chat", "messages": [{"role": "user", "content": "\xff"}]}',
    ],
)
def test_a_body_that_makes_no_sense(body):
    reply = httpx2.post(f"{OPEN}/v1/chat/completions", content=body)
    assert reply.status_code == 400
    assert in_shape(reply)["type"] == "invalid_request_error"


def test_the_sdk_gets_a_bad_request(client):
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="mock/chat", messages="hello")


def test_a_body_over_the_limit(keyed):
    with pytest.raises(openai.APIStatusError) as raised:
        keyed.chat.completions.create(
            model="mock/chat", messages=[{"role": "user", "content": "A" * 300_000}]
        )
    assert raised.value.status_code == 413
    assert raised.value.type == "invalid_request_error"


def test_a_body_over_the_limit_of_unknown_length():
    def pieces():
        for _ in range(300):
            yield b" " * 1024

    reply = httpx2.post(
        f"{KEYED}/v1/chat/completions",
        content=pieces(),
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert reply.status_code == 413
    in_shape(reply)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (400, openai.BadRequestError, 400),
        (429, openai.RateLimitError, 429),
        (500, openai.InternalServerError, 502),
        (502, openai.InternalServerError, 502),
        (503, openai.InternalServerError, 503),
        (504, openai.InternalServerError, 504),
    ],
)
def test_an_upstream_that_refuses(client, code, kind, status, stream):
    with pytest.raises(kind) as raised:
        ask(client, f"mock/status-{code}", stream=stream)
    assert raised.value.status_code == status
    in_shape(raised.value.response)
    assert f"The mock answers {code}" in raised.value.message
    if code in (429, 503):
        assert raised.value.response.headers["retry-after"] == "1"


def test_the_gateways_own_key_is_refused(client):
    # That is not the client's fault: the SDK must not tell its user that *their* key is wrong.
    with pytest.raises(openai.APIStatusError) as raised:
        ask(client, "mock/status-401")
    assert raised.value.status_code >= 500
    in_shape(raised.value.response)


def test_an_upstream_that_is_not_there(client):
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client, "gone/chat")
    assert raised.value.status_code == 502
    in_shape(raised.value.response)


def test_another_target_takes_over(client, tag):
    for _ in range(3):
        assert ask(client, "failover", user=tag).choices[0].message.content == "Hello, world"
    stream = ask(client, "failover", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello, world"
    assert len(tag.arrived) == 3


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_says_nothing(client, stream):
    start = time.monotonic()
    with pytest.raises(openai.InternalServerError) as raised:
        ask(client, "impatient/stall-before-head", stream=stream)
    assert raised.value.status_code == 504
    assert time.monotonic() - start < 10
    in_shape(raised.value.response)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["garbage", "error-in-success"])
def test_an_upstream_that_talks_nonsense(client, model, stream):
    with pytest.raises(openai.APIError) as raised:
        list(ask(client, f"mock/{model}", stream=stream))
    if isinstance(raised.value, openai.APIStatusError):
        assert raised.value.status_code == 502
    if model == "error-in-success":
        assert "on fire" in str(raised.value)


@pytest.mark.parametrize("code", [429, 503])
def test_the_sdk_tries_again(client, tag, code):
    patient = client.with_options(max_retries=2)
    reply = ask(patient, f"mock/flaky-{code}", user=tag)
    assert reply.choices[0].message.content == "Hello, world"
    assert len(tag.arrived) == 3


@pytest.mark.parametrize("base", [OPEN, BARE])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("POST", "/v2/chat/completions"), ("GET", "/favicon.ico")],
)
def test_an_unknown_url(base, method, path):
    reply = httpx2.request(method, base + path)
    assert reply.status_code == 404
    assert in_shape(reply)["code"] == "unknown_url"


def test_a_wrong_method():
    reply = httpx2.get(f"{OPEN}/v1/chat/completions")
    assert reply.status_code == 405
    in_shape(reply)


def test_health_needs_no_key():
    reply = httpx2.get(f"{KEYED}/health")
    assert reply.status_code == 200
    assert set(reply.json()) >= {"status", "version", "uptime_seconds"}
    assert httpx2.get(f"{KEYED}/ready").status_code == 200
