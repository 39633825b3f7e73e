"""Embeddings in OpenAI's shape, from upstreams of five protocols."""

import pytest

from conftest import eventually, rows

VECTOR = [0.5, -0.25, 0.125]
# The same as three little-endian floats of 32 bits.
PACKED = "AAAAPwAAgL4AAAA+"

# `chat`, `openai` and `cohere` are aimock's, which has no `batchEmbedContents` of Gemini and answers
# Ollama's `/api/embed` in a shape that Ollama does not have: those two are scripted.
PROVIDERS = ["chat", "openai", "cohere", "mock", "mock-gemini", "mock-ollama"]


# The SDK asks for base64 unless it is told otherwise.
@pytest.mark.parametrize("form", [None, "float", "base64"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_vectors(client, tag, provider, form):
    more = {"encoding_format": form} if form else {}
    model = f"{provider}/some-model~{tag}"
    raw = client.embeddings.with_raw_response.create(
        model=model, input=["vector one", "vector two"], **more
    )
    reply = raw.parse()
    assert reply.model == model
    assert [one.index for one in reply.data] == [0, 1]
    for one in reply.data:
        assert one.embedding == (PACKED if form == "base64" else VECTOR)
    (row,) = eventually(lambda: rows("id = ?", raw.headers["x-request-id"]))
    assert (row["outcome"], row["endpoint"]) == ("finished", "/v1/embeddings")
    if provider in ("mock", "mock-ollama"):
        assert reply.usage.prompt_tokens == row["input_tokens"] == 8


def test_dimensions_by_their_own_names(client, tag):
    for provider in ("mock-gemini", "mock-ollama"):
        client.embeddings.create(model=f"{provider}/m~{tag}", input=["vector"], dimensions=3)
    gemini, ollama = (one.json for one in tag.arrived)
    assert gemini["requests"] == [
        {
            "model": f"models/m~{tag}",
            "content": {"parts": [{"text": "vector"}]},
            "outputDimensionality": 3,
        }
    ]
    assert (ollama["input"], ollama["dimensions"]) == (["vector"], 3)
