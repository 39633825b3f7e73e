"""Reranking: Cohere's SDK and Jina's shape, before upstreams of either."""

import cohere
import httpx2
import pytest

from conftest import KEY, KEYED, OPEN, eventually, rows

QUERY = "capital of France"
DOCUMENTS = ["Rome is old", "Paris is the capital of France", "Of wine and France"]
ORDER = [1, 2, 0]
SCORES = [1.0, 2 / 3, 0.0]

# Cohere's protocol, and Jina's.
every_upstream = pytest.mark.parametrize("provider", ["mock-cohere", "mock"])


@pytest.fixture
def sdk():
    return cohere.ClientV2(api_key="sk-anything", base_url=OPEN, timeout=30)


def check(results, count=3):
    assert [one.index for one in results] == ORDER[:count]
    assert [one.relevance_score for one in results] == pytest.approx(SCORES[:count])


def check_row(headers, endpoint):
    (row,) = eventually(lambda: rows("id = ?", headers["x-request-id"]))
    assert (row["outcome"], row["status"], row["endpoint"]) == ("finished", 200, endpoint)
    return row


@every_upstream
def test_the_second_version(sdk, tag, provider):
    raw = sdk.with_raw_response.rerank(
        model=f"{provider}/ranker~{tag}", query=QUERY, documents=DOCUMENTS, top_n=2
    )
    check(raw.data.results, 2)
    arrived = tag.only.json
    assert (arrived["model"], arrived["query"]) == (f"ranker~{tag}", QUERY)
    assert (arrived["documents"], arrived["top_n"]) == (DOCUMENTS, 2)
    if provider == "mock-cohere":
        assert raw.data.meta.billed_units.search_units == 1
    check_row(raw.headers, "/v2/rerank")


@every_upstream
def test_the_first_version(tag, provider):
    sdk = cohere.Client(api_key="sk-anything", base_url=OPEN, timeout=30)
    raw = sdk.with_raw_response.rerank(
        model=f"{provider}/ranker~{tag}",
        query=QUERY,
        documents=[{"text": text} for text in DOCUMENTS],
        return_documents=True,
    )
    check(raw.data.results)
    assert [one.document.text for one in raw.data.results] == [DOCUMENTS[at] for at in ORDER]
    # Cohere's second version knows texts alone.
    sent = DOCUMENTS if provider == "mock-cohere" else [{"text": text} for text in DOCUMENTS]
    assert tag.only.json["documents"] == sent
    check_row(raw.headers, "/v1/rerank")


@every_upstream
def test_jinas_shape(tag, provider):
    model = f"{provider}/ranker~{tag}"
    body = {"model": model, "query": QUERY, "documents": DOCUMENTS, "top_n": 2}
    reply = httpx2.post(f"{OPEN}/v1/rerank", json={**body, "return_documents": True})
    assert reply.status_code == 200
    said = reply.json()
    assert (said["object"], said["model"]) == ("list", model)
    assert [one["index"] for one in said["results"]] == ORDER[:2]
    texts = [one["document"]["text"] for one in said["results"]]
    assert texts == [DOCUMENTS[at] for at in ORDER[:2]]
    row = check_row(reply.headers, "/v1/rerank")
    if provider == "mock":
        assert said["usage"]["total_tokens"] == row["input_tokens"] == 27


def test_what_an_upstream_cannot_be_told(sdk, tag):
    # Jina's shape has no such parameter.
    ask = {"model": f"mock/ranker~{tag}", "query": QUERY, "documents": DOCUMENTS}
    raw = sdk.with_raw_response.rerank(max_tokens_per_doc=99, **ask)
    assert raw.headers["x-gateway-dropped"] == "max_tokens_per_doc"
    assert "max_tokens_per_doc" not in tag.only.json
    with pytest.raises(cohere.BadRequestError, match="max_tokens_per_doc"):
        strict = {"additional_headers": {"x-gateway-strict": "true"}}
        sdk.rerank(max_tokens_per_doc=99, request_options=strict, **ask)


@every_upstream
def test_errors(sdk, provider):
    ask = {"query": QUERY, "documents": DOCUMENTS, "request_options": {"max_retries": 0}}
    with pytest.raises(cohere.TooManyRequestsError) as limited:
        sdk.rerank(model=f"{provider}/status-429", **ask)
    assert "The mock answers 429" in limited.value.body["error"]["message"]
    assert limited.value.headers["retry-after"] == "30"
    with pytest.raises(cohere.NotFoundError):
        sdk.rerank(model="nobody/nothing", **ask)
    with pytest.raises(cohere.UnauthorizedError):
        cohere.ClientV2(api_key="sk-wrong", base_url=KEYED).rerank(model=f"{provider}/any", **ask)
    check(cohere.ClientV2(api_key=KEY, base_url=KEYED).rerank(model=f"{provider}/any", **ask).results)
