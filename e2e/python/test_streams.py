"""Streams: chunk by chunk, whole or visibly broken, and given up on both sides."""

import asyncio
import time

import httpx2
import openai
import pytest

from conftest import OPEN, eventually

HELLO = [{"role": "user", "content": "Say hello"}]


def test_each_chunk_arrives_before_the_next_is_sent(client, tag):
    # The upstream sends a chunk only when this test has seen the one before: a gateway that
    # gathers would wait for ever.
    stream = client.chat.completions.create(
        model="mock/gated", messages=HELLO, stream=True, user=tag
    )
    seen = ""
    for chunk in stream:
        seen += chunk.choices[0].delta.content or ""
        tag.go()
    assert seen == "0 1 2 3 4 "


def test_chunks_keep_their_pace(client):
    start = time.monotonic()
    stream = client.chat.completions.create(
        model="mock/paced-200-6", messages=HELLO, stream=True
    )
    times = [time.monotonic() - start for chunk in stream if chunk.choices[0].delta.content]
    assert len(times) == 6
    assert times[0] < 0.6 * times[-1]
    assert times[-1] - times[0] > 0.8, "five gaps of 200 ms"


def test_usage_comes_when_it_is_asked_for(client, tag):
    ask = {"model": "mock/chat", "messages": HELLO, "stream": True}
    with_usage = list(
        client.chat.completions.create(stream_options={"include_usage": True}, **ask)
    )
    assert with_usage[-1].choices == []
    assert with_usage[-1].usage.total_tokens == 16
    assert [chunk.usage for chunk in with_usage[:-1]] == [None] * (len(with_usage) - 1)
    # The gateway asks the upstream for its own records; the client did not.
    without = list(client.chat.completions.create(user=tag, **ask))
    assert all(chunk.usage is None and chunk.choices for chunk in without)
    assert tag.only.json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("model", ["cut", "no-done", "error-in-stream"])
def test_a_broken_stream_is_an_error(client, model):
    stream = client.chat.completions.create(model=f"mock/{model}", messages=HELLO, stream=True)
    seen = ""
    with pytest.raises((openai.APIError, httpx2.HTTPError)) as raised:
        for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
    assert seen.startswith("and")
    if model == "error-in-stream":
        assert "on fire" in str(raised.value)


def test_a_stream_that_stalls_is_an_error(client):
    stream = client.chat.completions.create(
        model="impatient/stall", messages=HELLO, stream=True
    )
    start = time.monotonic()
    with pytest.raises((openai.APIError, httpx2.HTTPError)):
        for _ in stream:
            pass
    assert time.monotonic() - start < 10


def test_a_client_that_hangs_up_cancels_the_stream(client, tag):
    stream = client.chat.completions.create(
        model="mock/endless", messages=HELLO, stream=True, user=tag
    )
    next(iter(stream))
    stream.close()
    eventually(lambda: tag.only.hung_up)


def test_a_client_that_hangs_up_cancels_the_reply(asynchronous, tag):
    async def give_up():
        async with asynchronous as client:
            call = client.chat.completions.create(
                model="mock/stall-before-head", messages=HELLO, user=tag
            )
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(call, 0.5)

    asyncio.run(give_up())
    eventually(lambda: tag.only.hung_up)


def test_the_reply_is_an_event_stream():
    body = {"model": "mock/chat", "messages": HELLO, "stream": True}
    with httpx2.stream("POST", f"{OPEN}/v1/chat/completions", json=body) as reply:
        assert reply.headers["content-type"].split(";")[0] == "text/event-stream"
        text = reply.read().decode()
    assert text.endswith("data: [DONE]\n\n")
    assert text.count("[DONE]") == 1
