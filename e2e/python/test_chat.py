"""What an application does with the SDK, in front of an upstream."""

import asyncio

import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Say hello"}]


def test_a_reply(client, tag):
    reply = client.chat.completions.create(model="mock/chat", messages=HELLO, user=tag)
    assert reply.object == "chat.completion"
    assert reply.choices[0].message.content == "Hello, world"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 5)
    assert reply.usage.prompt_tokens_details.cached_tokens == 4
    assert tag.only.json["messages"] == HELLO


def test_the_name_that_was_asked_for_comes_back(client):
    for name in ("mock/chat", "house-model"):
        reply = client.chat.completions.create(model=name, messages=HELLO)
        assert reply.model == name
        for chunk in client.chat.completions.create(model=name, messages=HELLO, stream=True):
            assert chunk.model == name


def test_the_upstream_gets_its_own_names(client, tag):
    client.chat.completions.create(model="house-model", messages=HELLO, user=tag)
    assert tag.only.json["model"] == "chat"
    assert tag.only.headers["authorization"] == "Bearer sk-upstream"
    assert "sk-anything" not in str(tag.only.headers)


def test_the_provider_header_wins_over_model_and_key(client, tag):
    other = client.with_options(default_headers={"x-llm-provider": "mock"})
    reply = other.chat.completions.create(model="gpt-4o-of-mine", messages=HELLO, user=tag)
    assert reply.choices[0].message.content == "Hello, world"
    assert tag.only.json["model"] == "chat"
    assert tag.only.headers["authorization"] == "Bearer sk-upstream"
    assert "x-llm-provider" not in tag.only.headers


def test_an_asynchronous_client(asynchronous):
    async def talk():
        async with asynchronous as client:
            calls = [
                client.chat.completions.create(model="mock/chat", messages=HELLO)
                for _ in range(20)
            ]
            replies = await asyncio.gather(*calls)
            stream = await client.chat.completions.create(
                model="mock/chat", messages=HELLO, stream=True
            )
            text = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return [reply.choices[0].message.content for reply in replies], "".join(text)

    replies, streamed = asyncio.run(talk())
    assert replies == ["Hello, world"] * 20
    assert streamed == "Hello, world"


class City(BaseModel):
    name: str
    population: int
    districts: list[str]


def test_structured_output(client, tag):
    reply = client.chat.completions.parse(
        model="mock/structured", messages=HELLO, response_format=City, user=tag
    )
    assert reply.choices[0].message.parsed == City(
        name="City", population=2_100_000, districts=["1er", "2e"]
    )
    sent = tag.only.json["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"]["required"] == ["name", "population", "districts"]


def test_structured_output_as_a_stream(client):
    with client.chat.completions.stream(
        model="mock/structured", messages=HELLO, response_format=City
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed.population == 2_100_000


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_images(client, tag, size):
    data = "data:image/png;base64," + "A" * size
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": data, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    messages = [{"role": "user", "content": parts}]
    reply = client.chat.completions.create(model="mock/image", messages=messages, user=tag)
    first, second = reply.choices[0].message.content.split("; ")
    assert first == f"data:image/png;base64 {len(data)}"
    assert second.startswith("https://example.com/a.png")
    assert tag.only.json["messages"] == messages


def test_the_models_that_can_be_asked_for(client):
    names = [model.id for model in client.models.list()]
    assert "house-model" in names
    assert all(model.object == "model" for model in client.models.list())
