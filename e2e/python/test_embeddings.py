"""Embeddings in OpenAI's shape, from upstreams of several protocols."""

import pytest

from conftest import eventually, rows
from crossing import model_of

VECTOR = [0.5, -0.25, 0.125]


# aimock has no `batchEmbedContents` of Gemini, and answers Ollama's `/api/embed` in a shape that Ollama
# does not have: those two are tested with fixtures only.
# The SDK asks for base64 unless it is told otherwise.
@pytest.mark.parametrize("form", [None, "float", "base64"])
@pytest.mark.parametrize("provider", ["chat", "openai", "cohere"])
def test_vectors(client, provider, form):
    more = {"encoding_format": form} if form else {}
    raw = client.embeddings.with_raw_response.create(
        model=model_of(provider), input=["vector one", "vector two"], **more
    )
    reply = raw.parse()
    assert reply.model == model_of(provider)
    assert [one.index for one in reply.data] == [0, 1]
    for one in reply.data:
        if form == "base64":
            assert one.embedding == "AAAAPwAAgL4AAAA+"
        else:
            assert one.embedding == VECTOR
    (row,) = eventually(lambda: rows("id = ?", raw.headers["x-request-id"]))
    assert (row["outcome"], row["endpoint"]) == ("finished", "/v1/embeddings")
