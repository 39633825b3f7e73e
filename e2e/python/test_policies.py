"""What an operator decides, as the SDKs of clients meet it."""

import threading

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as gemini_errors

from conftest import POLICED, Team, administer, eventually

HELLO = [{"role": "user", "content": "Say hello"}]
# A request costs 11 tokens at $1,000 and 5 at $10,000 a million.
COST_NANOS = 11 * 1_000_000 + 5 * 10_000_000


def ask(client, content="Say hello", model="mock/chat", **more):
    messages = [{"role": "user", "content": content}]
    return client.chat.completions.create(model=model, messages=messages, **more)


def uncached(client):
    return client.with_options(default_headers={"cache-control": "no-store"})


# Keys


def test_a_key_opens_every_door(team):
    assert ask(team.openai).choices[0].message.content
    message = team.anthropic.messages.create(
        model="mock/chat", max_tokens=16, messages=HELLO
    )
    assert message.content
    reply = team.gemini.models.generate_content(model="mock/chat", contents="Say hello")
    assert reply.candidates


def test_a_revoked_key_opens_none(team):
    client = team.openai
    ask(client)
    assert administer("DELETE", f"/api/v1/keys/{team.name}").status_code == 204
    with pytest.raises(openai.AuthenticationError) as raised:
        ask(client)
    assert raised.value.code == "invalid_api_key"
    with pytest.raises(anthropic.AuthenticationError):
        team.anthropic.messages.create(model="mock/chat", max_tokens=16, messages=HELLO)
    with pytest.raises(gemini_errors.ClientError) as raised:
        team.gemini.models.generate_content(model="mock/chat", contents="Say hello")
    assert raised.value.code == 401


def test_a_rotated_key_and_the_one_before(team):
    before = team.openai
    path = f"/api/v1/keys/{team.name}/rotate"
    rotated = administer("POST", path, {"grace_seconds": 3600}).json()
    assert rotated["secret"] != team.secret
    ask(before)
    ask(before.with_options(api_key=rotated["secret"]))
    latest = administer("POST", path, {"grace_seconds": 0}).json()
    for old in (team.secret, rotated["secret"]):
        with pytest.raises(openai.AuthenticationError):
            ask(before.with_options(api_key=old))
    ask(before.with_options(api_key=latest["secret"]))


def test_a_secret_is_told_once(team):
    for path in (f"/api/v1/keys/{team.name}", "/api/v1/keys", f"/api/v1/keys/{team.name}/versions"):
        reply = administer("GET", path)
        assert reply.status_code == 200
        assert team.secret not in reply.text


def test_models_that_a_key_may_use():
    team = Team(models=["mock/*", "house-model"])
    ask(team.openai)
    ask(team.openai, model="house-model")
    with pytest.raises(openai.PermissionDeniedError) as raised:
        ask(team.openai, model="chat/hello")
    assert "chat/hello" in raised.value.message
    names = {model.id for model in team.openai.models.list()}
    assert "house-model" in names and "failover" not in names


# Limits


def test_a_rate_limit_is_exact(team):
    team.put("limits", rate={"requests": 5, "window_seconds": 3600})
    client = uncached(team.openai)
    outcomes = []

    def one():
        try:
            ask(client)
            outcomes.append(200)
        except openai.RateLimitError as error:
            assert int(error.response.headers["retry-after"]) > 0
            assert error.code == "rate_limit_exceeded"
            outcomes.append(429)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200] * 5 + [429] * 15


def test_the_headers_count_down(team):
    team.put("limits", rate={"requests": 3, "window_seconds": 3600})
    for left in (2, 1, 0):
        reply = team.openai.chat.completions.with_raw_response.create(
            model="mock/chat", messages=HELLO
        )
        assert reply.headers["ratelimit-limit"] == "3"
        assert reply.headers["ratelimit-remaining"] == str(left)
        assert 0 < int(reply.headers["ratelimit-reset"]) <= 3600
        assert reply.headers["x-ratelimit-remaining"] == str(left)
    # Each dialect says no in its own words.
    with pytest.raises(anthropic.RateLimitError) as raised:
        team.anthropic.messages.create(model="mock/chat", max_tokens=16, messages=HELLO)
    assert raised.value.response.headers["ratelimit-remaining"] == "0"
    with pytest.raises(gemini_errors.ClientError) as raised:
        team.gemini.models.generate_content(model="mock/chat", contents="Say hello")
    assert raised.value.code == 429


def test_a_budget_is_never_overspent(team):
    # For ten requests and a bit; what is reserved for each is more than it costs.
    limit = COST_NANOS * 10 + COST_NANOS // 2
    team.put("budgets", allowance={"cost_nanos": limit, "period": "total"})
    client = uncached(team.openai)
    answered = refused = 0
    for _ in range(15):
        try:
            ask(client, max_tokens=5)
            answered += 1
        except openai.RateLimitError as error:
            assert error.code == "budget_exceeded"
            refused += 1
    assert refused and answered <= 10

    def state():
        states = administer("GET", "/api/v1/budgets/states?limit=10000").json()
        return [one for one in states if one["budget"].startswith(team.name)]

    (spent,) = eventually(lambda: [one for one in state() if one["reserved_nanos"] == 0])
    assert spent["spent_nanos"] == answered * COST_NANOS <= limit


# Guardrails


@pytest.fixture
def banned(team):
    team.put(
        "guardrails",
        check={"kind": "phrases", "phrases": ["purple elephant"], "whole_word": True},
        action={"kind": "block"},
    )
    return team


def test_a_banned_phrase_is_not_asked(banned, tag):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(banned.openai, "Draw a PURPLE elephant", user=tag)
    assert raised.value.code == "content_policy_violation"
    assert tag.arrived == []
    ask(banned.openai, "Draw purple elephants", user=tag)
    with pytest.raises(anthropic.BadRequestError):
        banned.anthropic.messages.create(
            model="mock/chat",
            max_tokens=16,
            messages=[{"role": "user", "content": "a purple elephant"}],
        )
    with pytest.raises(gemini_errors.ClientError) as raised:
        banned.gemini.models.generate_content(
            model="mock/chat", contents="a purple elephant"
        )
    assert raised.value.code == 400


def test_what_is_personal_does_not_leave(team, tag):
    team.put("guardrails", check={"kind": "pii", "kinds": ["email"]}, action={"kind": "redact"})
    ask(team.openai, "Write to ada@example.com now", user=tag)
    sent = tag.only.json["messages"][-1]["content"]
    assert "ada@example.com" not in sent
    assert sent.startswith("Write to ") and sent.endswith(" now")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_changed(team, stream):
    team.put(
        "guardrails",
        side="reply",
        check={"kind": "phrases", "phrases": ["world"]},
        action={"kind": "replace", "with": "moon"},
    )
    team.put(
        "guardrails",
        side="reply",
        order=1,
        check={"kind": "disclaimer", "text": "Not advice."},
        action={"kind": "append"},
    )
    reply = ask(team.openai, stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in reply if chunk.choices)
    else:
        text = reply.choices[0].message.content
    assert "world" not in text and "moon" in text
    assert text.endswith("Not advice.")


# System prompt


def test_the_operators_words_come_after(team, tag):
    team.put("system-prompts", text="The key is {{key}}.")
    ask(team.openai, user=tag)
    (system, user) = tag.only.json["messages"]
    assert system["role"] in ("system", "developer")
    assert system["content"] == f"The key is {team.name}."
    assert user["role"] == "user"


# Cache


def raw(team, tag, **more):
    return team.openai.chat.completions.with_raw_response.create(
        model=f"mock/chat", messages=[{"role": "user", "content": f"Hello {tag}"}], user=tag, **more
    )


def test_an_answer_is_given_again(team, tag):
    first, again = raw(team, tag), raw(team, tag)
    assert first.headers["x-cache"] == "MISS" and again.headers["x-cache"] == "HIT"
    assert int(again.headers["age"]) >= 0
    assert first.parse().choices == again.parse().choices
    assert len(tag.arrived) == 1
    stream = raw(team, tag, stream=True)
    assert stream.headers["x-cache"] == "HIT"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream.parse() if chunk.choices)
    assert text == first.parse().choices[0].message.content
    assert raw(team, tag, extra_headers={"cache-control": "no-cache"}).headers["x-cache"] != "HIT"
    assert len(tag.arrived) == 2


@pytest.mark.parametrize("provider", ["mock", "mock-gemini", "mock-ollama"])
def test_vectors_are_given_again(team, tag, provider):
    def embed(**more):
        return team.openai.embeddings.with_raw_response.create(
            model=f"{provider}/embed~{tag}", input=["vector one", "vector two"], **more
        )

    first, again = embed(), embed(user="somebody")
    assert first.headers["x-cache"] == "MISS" and again.headers["x-cache"] == "HIT"
    assert first.parse().data == again.parse().data
    assert len(tag.arrived) == 1
    assert embed(encoding_format="float").headers["x-cache"] == "MISS"
    assert embed(extra_headers={"cache-control": "no-store"}).headers["x-cache"] == "BYPASS"


@pytest.mark.parametrize("provider", ["mock", "mock-cohere"])
def test_rankings_are_given_again(team, tag, provider):
    def rank(*documents):
        return httpx2.post(
            f"{POLICED}/v2/rerank",
            json={"model": f"{provider}/rank~{tag}", "query": "a", "documents": documents},
            headers={"authorization": f"Bearer {team.secret}"},
            timeout=30,
        )

    first, again = rank("a b", "b c"), rank("a b", "b c")
    assert first.headers["x-cache"] == "MISS" and again.headers["x-cache"] == "HIT"
    assert first.json() == again.json()
    assert len(tag.arrived) == 1
    assert rank("b c", "a b").headers["x-cache"] == "MISS"


def test_nobody_gets_anothers_answer(team, tag):
    raw(team, tag)
    assert raw(Team(), tag).headers["x-cache"] == "MISS"
    assert len(tag.arrived) == 2


def test_an_answer_is_forgotten(team, tag):
    raw(team, tag)
    reply = administer("DELETE", f"/api/v1/cache/entries?key={team.name}")
    assert reply.status_code == 200
    assert raw(team, tag).headers["x-cache"] == "MISS"


# No side doors


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "mock/embed", "input": "a"}),
        ("/v1/messages/count_tokens", {"model": "mock/chat", "messages": HELLO}),
        ("/v1/rerank", {"model": "mock-cohere/rerank", "query": "a", "documents": ["a"]}),
        ("/v1/images/generations", {"model": "mock/image", "prompt": "a"}),
        ("/v1/audio/speech", {"model": "mock/speech", "input": "a", "voice": "alloy"}),
        ("/v1/moderations", {"model": "mock/moderation", "input": "a"}),
        ("/v1/house-model/chat/completions", {"messages": HELLO}),
        ("/v1/models/house-model/chat/completions", {"messages": HELLO}),
    ],
)
def test_no_side_door(team, path, body):
    team.put("limits", rate={"requests": 1, "window_seconds": 3600})
    headers = {"authorization": f"Bearer {team.secret}"}
    first = httpx2.post(f"{POLICED}{path}", json=body, headers=headers, timeout=30)
    assert first.status_code != 429
    again = httpx2.post(f"{POLICED}{path}", json=body, headers=headers, timeout=30)
    assert again.status_code == 429
    assert again.headers["ratelimit-remaining"] == "0"
    stranger = httpx2.post(f"{POLICED}{path}", json=body, timeout=30)
    assert stranger.status_code == 401


def test_what_is_wrong_is_said_by_field():
    policy = {"check": {"kind": "patterns", "patterns": ["a", "("]}, "action": {"kind": "block"}}
    reply = administer("PUT", "/api/v1/guardrails/broken", policy)
    assert reply.status_code in (400, 422)
    (error,) = reply.json()["errors"]
    assert error["field"] == "check.patterns[1]"
