"""A scripted stand-in for upstreams: OpenAI's chat is here, all else in protocols.py.

The model's name in a request says what happens (see SCENARIOS). Every request is kept byte for byte
under the test's tag, its `user` field or what its model's name ends with, and can be asked for:

    GET  /journal/<tag>   what arrived with this tag, and whether the caller hung up
    POST /go/<tag>        lets the scenario `gated` send its next chunk

Only Python's standard library is used.  Usage: upstream.py PORT
"""

import asyncio
import base64
import json
import sys
import traceback
from collections import defaultdict

import protocols

MODEL = "mock-model-2026-01-01"

# What the gateway must hand on as it came: spaces, escapes, numbers in odd notation, unknown fields.
ODD_REPLY = (
    b'{ "id" : "chatcmpl-odd", "object":"chat.completion", "created": 1764000000,\n'
    b'  "model":"%(model)s", "x_unknown": {"big": 12345678901234567890123, "float": 1.0e2,'
    b' "text": "\\u00e9\\/\xc3\xa9", "empty": {}, "list": [ ] },\n'
    b'  "choices": [ {"index":0, "x_choice": null, "message": {"role":"assistant",'
    b' "content":"odd", "x_message": [1,2.50,-0.0]}, "finish_reason":"stop"} ],\n'
    b'  "usage": {"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,'
    b'"prompt_tokens_details":{"cached_tokens":2},"x_usage":"kept"} }'
)
ODD_CHUNK = (
    b'{ "id":"chatcmpl-odd","object":"chat.completion.chunk", "created":1764000000,'
    b'"model":"%(model)s", "x_chunk": {"float": 1.0e2, "text": "\\u00e9\\/\xc3\xa9"},'
    b' "choices":[{"index":0,"delta":{"content":"odd","x_delta":12345678901234567890123},'
    b'"finish_reason":null}] }'
)
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 5,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


class Entry:
    """One request, as it arrived."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.finished = False
        self.hung_up = False

    def shown(self):
        return {
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
            "finished": self.finished,
            "hung_up": self.hung_up,
        }


class Reply:
    """Writes a reply to one request."""

    def __init__(self, writer, request, tag):
        self.writer, self.request, self.tag = writer, request, tag
        self.streamed = bool(request.get("stream"))

    async def whole(self, status, body, headers=(), kind="application/json"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        head = [f"HTTP/1.1 {status} Status", f"content-type: {kind}", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers]
        self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()

    async def error(self, status, message, kind="server_error", code=None, headers=()):
        error = {"message": message, "type": kind, "param": None, "code": code}
        await self.whole(status, {"error": error}, headers)

    async def message(self, message, finish="stop"):
        """A complete answer, as a stream where the request asks for one."""
        if self.streamed:
            await self.start()
            await self.deltas([message])
            await self.end(finish)
            return
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        await self.whole(200, self.envelope("chat.completion", [choice], usage=USAGE))

    def envelope(self, kind, choices, **more):
        return {
            "id": "chatcmpl-mock",
            "object": kind,
            "created": 1764000000,
            "model": MODEL,
            "choices": choices,
            **more,
        }

    async def start(self, kind="text/event-stream"):
        self.writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
            "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        await self.writer.drain()

    async def chunk(self, data):
        """One HTTP chunk."""
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self.writer.drain()

    async def finish(self):
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def raw(self, data):
        """One server-sent event as one HTTP chunk."""
        await self.chunk(b"data: " + data + b"\n\n")

    async def delta(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        await self.raw(json.dumps(self.envelope("chat.completion.chunk", [choice])).encode())

    async def deltas(self, deltas):
        for delta in deltas:
            await self.delta(delta)

    async def end(self, finish="stop"):
        await self.delta({}, finish)
        if (self.request.get("stream_options") or {}).get("include_usage"):
            chunk = self.envelope("chat.completion.chunk", [], usage=USAGE)
            await self.raw(json.dumps(chunk).encode())
        await self.raw(b"[DONE]")
        await self.finish()


SCENARIOS = {}
GATES = defaultdict(lambda: asyncio.Semaphore(0))
CALLS = defaultdict(int)


def scenario(function):
    """Registers a scenario; `_` in the function's name is `-` in the model's."""
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function


@scenario
async def chat(reply, *_):
    if not reply.streamed:
        await reply.message({"role": "assistant", "content": "Hello, world", "refusal": None})
        return
    await reply.start()
    await reply.deltas([{"role": "assistant", "content": ""}, {"content": "Hello"}])
    await reply.deltas([{"content": ", "}, {"content": "world"}])
    await reply.end()


@scenario
async def odd(reply, *_):
    if not reply.streamed:
        await reply.whole(200, ODD_REPLY % {b"model": MODEL.encode()})
        return
    await reply.start()
    await reply.raw(ODD_CHUNK % {b"model": MODEL.encode()})
    await reply.end()


@scenario
async def gated(reply, *_):
    """Sends a chunk each time the test says so."""
    await reply.start()
    await reply.delta({"role": "assistant", "content": "0 "})
    for number in range(1, 5):
        await GATES[reply.tag].acquire()
        await reply.delta({"content": f"{number} "})
    await GATES[reply.tag].acquire()
    await reply.end()


@scenario
async def paced(reply, milliseconds="150", count="6"):
    await reply.start()
    for number in range(int(count)):
        await reply.delta({"content": f"{number} "})
        await asyncio.sleep(int(milliseconds) / 1000)
    await reply.end()


@scenario
async def tools(reply, *_):
    """Asks for two tools at once; with their results, answers."""
    results = [m["content"] for m in reply.request["messages"] if m["role"] == "tool"]
    if results:
        await reply.message({"role": "assistant", "content": "The tools said: " + ", ".join(results)})
        return
    calls = [
        {"id": "call_paris", "arguments": '{"city": "Paris", "unit": "celsius"}'},
        {"id": "call_tokyo", "arguments": '{"city": "東京", "unit": "celsius"}'},
    ]
    if not reply.streamed:
        named = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": "weather", "arguments": call["arguments"]},
            }
            for call in calls
        ]
        message = {"role": "assistant", "content": None, "tool_calls": named}
        await reply.message(message, "tool_calls")
        return
    await reply.start()
    await reply.delta({"role": "assistant", "content": None})
    for index, call in enumerate(calls):
        function = {"name": "weather", "arguments": ""}
        first = {"index": index, "id": call["id"], "type": "function", "function": function}
        await reply.delta({"tool_calls": [first]})
        for at in range(0, len(call["arguments"]), 7):
            piece = {"index": index, "function": {"arguments": call["arguments"][at : at + 7]}}
            await reply.delta({"tool_calls": [piece]})
    await reply.end("tool_calls")


@scenario
async def structured(reply, *_):
    schema = reply.request["response_format"]["json_schema"]
    answer = {"name": schema["name"], "population": 2_100_000, "districts": ["1er", "2e"]}
    await reply.message({"role": "assistant", "content": json.dumps(answer), "refusal": None})


@scenario
async def image(reply, *_):
    parts = reply.request["messages"][-1]["content"]
    seen = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    text = "; ".join(f"{url.split(',')[0]} {len(url)}" for url in seen)
    await reply.message({"role": "assistant", "content": text})


@scenario
async def status(reply, code="500"):
    headers = [("retry-after", "1")] if code in ("429", "503") else []
    kinds = {"400": "invalid_request_error", "401": "invalid_request_error", "429": "requests"}
    codes = {"401": "invalid_api_key", "429": "rate_limit_exceeded"}
    kind, name = kinds.get(code, "server_error"), codes.get(code)
    await reply.error(int(code), f"The mock answers {code}", kind, name, headers)


@scenario
async def flaky(reply, code="503"):
    """Fails twice, then answers."""
    CALLS[reply.tag] += 1
    if CALLS[reply.tag] <= 2:
        await reply.error(int(code), "Not yet", headers=[("retry-after-ms", "20")])
    else:
        await chat(reply)


@scenario
async def stall_before_head(reply, *_):
    await asyncio.sleep(60)


@scenario
async def stall(reply, *_):
    await reply.start()
    await reply.delta({"role": "assistant", "content": "and then"})
    await asyncio.sleep(60)


@scenario
async def endless(reply, *_):
    await reply.start()
    for number in range(3000):
        await reply.delta({"content": f"{number} "})
        await asyncio.sleep(0.02)


@scenario
async def cut(reply, *_):
    """The connection breaks in the middle of an event."""
    await reply.start()
    await reply.delta({"role": "assistant", "content": "and then"})
    reply.writer.write(b'64\r\ndata: {"id":"chatcmpl-mock","obj')
    await reply.writer.drain()
    await asyncio.sleep(0.05)
    reply.writer.transport.abort()


@scenario
async def no_done(reply, *_):
    """The body ends as HTTP wants it, but the protocol's own end is missing."""
    await reply.start()
    await reply.deltas([{"role": "assistant", "content": "and"}, {"content": " then"}])
    await reply.finish()


@scenario
async def error_in_success(reply, *_):
    error = {"message": "The mock's engine is on fire", "type": "server_error", "code": None}
    await reply.whole(200, {"error": error})


@scenario
async def error_in_stream(reply, *_):
    await reply.start()
    await reply.delta({"role": "assistant", "content": "and then"})
    error = {"message": "The mock's engine is on fire", "type": "server_error", "code": None}
    await reply.raw(json.dumps({"error": error}).encode())
    await reply.raw(b"[DONE]")
    await reply.finish()


@scenario
async def garbage(reply, *_):
    await reply.whole(200, b"<html><body>It works!</body></html>", kind="text/html")


class Upstream:
    def __init__(self):
        self.journal = defaultdict(list)

    async def serve(self, reader, writer):
        try:
            while request := await self.read(reader):
                await self.answer(reader, writer, *request)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def read(self, reader):
        """Method, path, headers and body of the next request; nothing at the connection's end."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        headers = [line.split(": ", 1) if ": " in line else line.split(":", 1) for line in lines]
        named = {name.lower(): value for name, value in headers}
        if named.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(named.get("content-length", 0)))
        return method, path, headers, body

    async def answer(self, reader, writer, method, path, headers, body):
        if path.startswith(("/journal/", "/go/")):
            tag = path.rsplit("/", 1)[1]
            if path.startswith("/go/"):
                GATES[tag].release()
            await Reply(writer, {}, tag).whole(200, [entry.shown() for entry in self.journal[tag]])
            return
        asked = protocols.Asked(path, headers, body)
        reply = Reply(writer, asked.json, asked.tag)
        entry = Entry(method, path, headers, body)
        self.journal[reply.tag].append(entry)
        script = asyncio.ensure_future(self.play(reply, asked))
        end = asyncio.ensure_future(self.closed(reader))
        await asyncio.wait([script, end], return_when=asyncio.FIRST_COMPLETED)
        if not script.done():
            entry.hung_up = True
            script.cancel()
            raise ConnectionResetError
        end.cancel()
        if (error := script.exception()) and not isinstance(error, ConnectionError):
            traceback.print_exception(error)
        entry.finished = error is None
        entry.hung_up = not entry.finished
        if not entry.finished or writer.transport.is_closing():
            raise ConnectionResetError

    async def play(self, reply, asked):
        if asked.path.split("?")[0] != "/v1/chat/completions":
            if not await protocols.answer(reply, asked):
                await reply.error(404, f"The mock has no {asked.path}")
            return
        model = asked.model
        name = max((name for name in SCENARIOS if model.startswith(name)), key=len, default=None)
        if name is None:
            await reply.error(404, f"The mock has no model {model}", code="model_not_found")
            return
        arguments = [word for word in model[len(name) :].split("-") if word]
        await SCENARIOS[name](reply, *arguments)

    async def closed(self, reader):
        """Returns when the caller has closed the connection; reads nothing."""
        while not (reader.at_eof() or reader.exception()):
            await asyncio.sleep(0.01)


async def main():
    upstream = Upstream()
    server = await asyncio.start_server(
        upstream.serve, "127.0.0.1", int(sys.argv[1]), limit=64 * 1024 * 1024
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
