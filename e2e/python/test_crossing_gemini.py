"""Google's SDK before upstreams of every protocol."""

import httpx
import pytest
from google.genai import errors, types

from conftest import eventually, rows
from crossing import (
    ANSWER,
    CITIES,
    COUNTING,
    GREETING,
    HELLO,
    PARAMETERS,
    QUESTION,
    RESULTS,
    every_provider,
    model_of,
    whole_and_streamed,
)

pytestmark = every_provider
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather", description="Today's weather", parameters_json_schema=PARAMETERS
        )
    ]
)
CONFIG = types.GenerateContentConfig(
    tools=[TOOL],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


def test_a_reply(gemini, provider):
    reply = gemini.models.generate_content(model=model_of(provider), contents=HELLO)
    assert reply.text == GREETING
    assert reply.candidates[0].finish_reason.name == "STOP"
    if provider != "gemini":
        # aimock leaves it out, and what is carried is not made up.
        assert reply.model_version == model_of(provider)
    request_id = reply.sdk_http_response.headers["x-request-id"]
    (row,) = eventually(lambda: rows("id = ?", request_id))
    assert (row["outcome"], row["finish_reason"]) == ("finished", "stop")
    if provider in COUNTING:
        usage = reply.usage_metadata
        assert (usage.prompt_token_count, usage.candidates_token_count) == (11, 5)
        assert (row["input_tokens"], row["output_tokens"]) == (11, 5)


def test_a_stream(gemini, provider):
    chunks = list(
        gemini.models.generate_content_stream(model=model_of(provider), contents=HELLO)
    )
    assert "".join(chunk.text or "" for chunk in chunks) == GREETING
    assert chunks[-1].candidates[0].finish_reason.name == "STOP"
    if provider in COUNTING:
        usage = chunks[-1].usage_metadata
        assert (usage.prompt_token_count, usage.candidates_token_count) == (11, 5)


@whole_and_streamed
def test_tools(gemini, provider, stream):
    ask = {"model": model_of(provider), "config": CONFIG}
    contents = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
    if stream:
        chunks = gemini.models.generate_content_stream(contents=contents, **ask)
        parts = [part for chunk in chunks for part in chunk.parts or []]
    else:
        parts = gemini.models.generate_content(contents=contents, **ask).parts
    calls = [part.function_call for part in parts if part.function_call]
    assert [call.args for call in calls] == CITIES
    contents.append(types.Content(role="model", parts=parts))
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"result": result}
            )
        )
        for call, result in zip(calls, RESULTS)
    ]
    contents.append(types.Content(role="user", parts=results))
    assert gemini.models.generate_content(contents=contents, **ask).text == ANSWER


def test_a_limit(gemini, provider):
    with pytest.raises(errors.ClientError) as error:
        gemini.models.generate_content(model=model_of(provider), contents="limit")
    assert (error.value.code, error.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert "Slow down" in error.value.message


def test_a_cut_stream(gemini, provider):
    seen = []
    with pytest.raises((errors.APIError, errors.UnknownApiResponseError, httpx.HTTPError)):
        for chunk in gemini.models.generate_content_stream(
            model=model_of(provider), contents="cut"
        ):
            seen.append(chunk)
    assert "".join(chunk.text or "" for chunk in seen).startswith("This will")
    assert not [c for chunk in seen for c in chunk.candidates or [] if c.finish_reason]
    request_id = seen[0].sdk_http_response.headers["x-request-id"]
    (row,) = eventually(lambda: rows("id = ?", request_id))
    assert (row["outcome"], row["error_source"]) == ("failed", "provider")
