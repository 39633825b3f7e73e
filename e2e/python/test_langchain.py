"""LangChain's OpenAI client, through both of OpenAI's protocols, before upstreams of others."""

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from conftest import OPEN
from crossing import ANSWER, CITIES, GREETING, HELLO, QUESTION, RESULTS, model_of

pytestmark = [
    pytest.mark.parametrize("provider", ["chat", "claude", "gemini"]),
    pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"]),
]


@tool
def weather(city: str) -> str:
    """Today's weather"""
    raise NotImplementedError


@pytest.fixture
def model(provider, responses):
    return ChatOpenAI(
        base_url=f"{OPEN}/v1",
        api_key="sk-anything",
        model=model_of(provider),
        use_responses_api=responses,
        max_retries=0,
        timeout=30,
    )


def test_a_reply(model):
    reply = model.invoke(HELLO)
    assert reply.text == GREETING
    assert reply.usage_metadata["input_tokens"] == 11
    assert reply.usage_metadata["output_tokens"] == 5


def test_a_stream(model):
    assert "".join(chunk.text for chunk in model.stream(HELLO)) == GREETING


def test_tools(model):
    bound = model.bind_tools([weather])
    messages = [HumanMessage(QUESTION)]
    reply = bound.invoke(messages)
    assert [call["args"] for call in reply.tool_calls] == CITIES
    messages.append(reply)
    for call, result in zip(reply.tool_calls, RESULTS):
        messages.append(ToolMessage(result, tool_call_id=call["id"]))
    assert bound.invoke(messages).text == ANSWER


def test_a_limit(model):
    with pytest.raises(openai.RateLimitError):
        model.invoke("limit")
