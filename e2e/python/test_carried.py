"""Carried, not rebuilt: what nobody here has heard of arrives byte for byte."""

import json

import httpx2

from conftest import OPEN

URL = f"{OPEN}/v1/chat/completions"


def odd_request(tag, model, more=""):
    """Spaces, escapes, odd numbers, unknown fields, fields twice nested."""
    return (
        '{ "x_first" : {"float":1.0e2, "big":12345678901234567890123, "minus":-0.0},\n'
        f'  "model"\t:"{model}", "user":"{tag}",{more}\n'
        '  "messages":[ {"role":"user","content":"caf\\u00e9 \\/ ☕ \\ud83d\\ude00", "x_m":[ ]} ],\n'
        '  "x_last": [null, true , "model"]  }'
    ).encode()


def test_a_request_arrives_byte_for_byte(tag):
    sent = odd_request(tag, "mock/odd")
    reply = httpx2.post(URL, content=sent, headers={"content-type": "application/json"})
    assert reply.status_code == 200, reply.text
    assert tag.only.body == odd_request(tag, "odd")


def test_a_streamed_request_arrives_byte_for_byte(tag):
    more = ' "stream" : true, "stream_options":{"include_usage":true , "x":1},'
    reply = httpx2.post(URL, content=odd_request(tag, "mock/odd", more))
    assert reply.status_code == 200, reply.text
    assert tag.only.body == odd_request(tag, "odd", more)


def test_a_reply_comes_back_byte_for_byte(tag):
    reply = httpx2.post(URL, content=odd_request(tag, "mock/odd"))
    assert reply.headers["content-type"] == "application/json"
    for kept in (
        b'{ "id" : "chatcmpl-odd", "object":"chat.completion", "created": 1764000000,\n',
        b'"x_unknown": {"big": 12345678901234567890123, "float": 1.0e2,'
        b' "text": "\\u00e9\\/\xc3\xa9", "empty": {}, "list": [ ] },\n',
        b'"content":"odd", "x_message": [1,2.50,-0.0]}, "finish_reason":"stop"} ],\n',
        b'"prompt_tokens_details":{"cached_tokens":2},"x_usage":"kept"} }',
    ):
        assert kept in reply.content
    assert json.loads(reply.content)["model"] == "mock/odd"


def test_stream_chunks_come_back_byte_for_byte(tag):
    reply = httpx2.post(URL, content=odd_request(tag, "mock/odd", ' "stream":true,'))
    chunk = (
        b'data: { "id":"chatcmpl-odd","object":"chat.completion.chunk", "created":1764000000,'
        b'"model":"mock/odd", "x_chunk": {"float": 1.0e2, "text": "\\u00e9\\/\xc3\xa9"},'
        b' "choices":[{"index":0,"delta":{"content":"odd","x_delta":12345678901234567890123},'
        b'"finish_reason":null}] }\n\n'
    )
    assert chunk in reply.content
