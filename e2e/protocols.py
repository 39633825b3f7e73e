"""What the scripted upstream answers besides OpenAI's chat, in the protocols' published shapes.

The model's name in a request says what happens; what stands behind a `~` in it is the test's tag, for
not every protocol has a field for one: `eyes~4f1e` looks at images and is remembered under `4f1e`.

- `eyes`: tells the type and size of each image in the last message.
- `overloaded`: begins a stream, then sends the protocol's own error.
- `broken-off`: begins a stream, then breaks the connection.
- `status-…`: answers with this status, as OpenAI does.
- any other: what the endpoint is for.

Sources: https://platform.openai.com/docs/api-reference, https://docs.anthropic.com/en/api/messages,
https://ai.google.dev/api/generate-content, https://github.com/ollama/ollama/blob/main/docs/api.md,
https://docs.cohere.com/reference/rerank, https://jina.ai/reranker
"""

import asyncio
import base64
import json
import re
import struct
from email.parser import BytesParser
from email.policy import HTTP

ROUTES = []
VECTOR = [0.5, -0.25, 0.125]
# What a speaking model says: longer than any buffer on its way.
SPEECH = bytes(range(256)) * 1200
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
BEGUN = "and then"
TROUBLE = "The mock's engine is on fire"


class Asked:
    """A request, whatever its body is."""

    def __init__(self, path, headers, body):
        self.path, self.body = path, body
        kind = {name.lower(): value for name, value in headers}.get("content-type", "")
        self.json, self.fields, self.files = {}, {}, []
        if kind.startswith("multipart/form-data"):
            self.read_form(kind)
        else:
            try:
                said = json.loads(body)
            except ValueError:
                said = None
            self.json = said if isinstance(said, dict) else {}
        in_path = re.search(r"/models/([^/:]+):", path)
        model = in_path[1] if in_path else self.json.get("model") or self.fields.get("model") or ""
        self.model, _, self.tag = model.replace("%7E", "~").partition("~")
        # OpenAI's chat has a field for it.
        self.tag = self.tag or self.json.get("user") or ""

    def read_form(self, kind):
        head = b"content-type: " + kind.encode() + b"\r\n\r\n"
        for part in BytesParser(policy=HTTP).parsebytes(head + self.body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            if part.get_filename() is None:
                self.fields[name] = part.get_payload(decode=True).decode()
            else:
                self.files.append((name, part.get_payload(decode=True)))

    @property
    def streamed(self):
        return self.json.get("stream") is True or self.fields.get("stream") == "true"


def route(pattern):
    """Registers what is answered at the paths that match."""

    def register(function):
        ROUTES.append((re.compile(pattern), function))
        return function

    return register


async def answer(reply, asked):
    """Answers; whether there is anything at this path."""
    for pattern, function in ROUTES:
        if pattern.fullmatch(asked.path.split("?")[0]):
            if asked.model.startswith("status-"):
                code = int(asked.model.removeprefix("status-"))
                # Longer than the gateway waits before it tries again by itself.
                headers = [("retry-after", "30")]
                await reply.error(code, f"The mock answers {code}", headers=headers)
            else:
                await function(reply, asked)
            return True
    return False


async def stream(reply, asked, begin, end, frame, kind="text/event-stream"):
    """A stream of the events `begin`, then the event `end`, or none where it breaks off."""
    await reply.start(kind)
    for event in begin:
        await reply.chunk(frame(event))
    if asked.model.startswith("broken-off"):
        await asyncio.sleep(0.05)
        reply.writer.transport.abort()
        return
    await reply.chunk(frame(end))
    await reply.finish()


def looked(images):
    """What `eyes` says of pictures, given as type and base64."""
    return "; ".join(f"{kind} {len(base64.b64decode(data))}" for kind, data in images)


# ---- Anthropic


def named(event):
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


@route("/v1/messages")
async def messages(reply, asked):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.model}
    usage = {"input_tokens": 11, "output_tokens": 5}
    if not asked.streamed:
        blocks = asked.json["messages"][-1]["content"]
        sources = [block["source"] for block in blocks if block["type"] == "image"]
        given = [source for source in sources if source["type"] == "base64"]
        text = looked((source["media_type"], source["data"]) for source in given)
        ending = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
        content = [{"type": "text", "text": text}]
        await reply.whole(200, {**message, "content": content, **ending})
        return
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    block = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": BEGUN}
    items = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
    ]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": TROUBLE}}
    await stream(reply, asked, items, error, named)


# ---- Gemini


def data(event):
    return f"data: {json.dumps(event)}\r\n\r\n".encode()


def generated(text, **more):
    content = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 5, "totalTokenCount": 16}
    return {"candidates": [{"content": content, "index": 0, **more}], "usageMetadata": usage}


@route("/v1beta/models/[^/]+:generateContent")
async def generate_content(reply, asked):
    parts = asked.json["contents"][-1]["parts"]
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    # Google's SDK for Python has it in snake case, which the service takes as well.
    text = looked((one.get("mimeType") or one["mime_type"], one["data"]) for one in inline)
    await reply.whole(200, generated(text, finishReason="STOP"))


@route("/v1beta/models/[^/]+:streamGenerateContent")
async def stream_generate_content(reply, asked):
    error = {"error": {"code": 503, "message": TROUBLE, "status": "UNAVAILABLE"}}
    await stream(reply, asked, [generated(BEGUN)], error, data)


@route("/v1beta/models/[^/]+:batchEmbedContents")
async def batch_embed_contents(reply, asked):
    await reply.whole(200, {"embeddings": [{"values": VECTOR} for _ in asked.json["requests"]]})


# ---- Ollama


def line(event):
    return json.dumps(event).encode() + b"\n"


@route("/api/chat")
async def ollama_chat(reply, asked):
    reply_to = {"model": asked.model, "created_at": "2026-01-01T00:00:00Z"}
    if asked.streamed:
        begun = {**reply_to, "message": {"role": "assistant", "content": BEGUN}, "done": False}
        await stream(reply, asked, [begun], {"error": TROUBLE}, line, "application/x-ndjson")
        return
    # It says nothing of their types.
    text = looked(("image", data) for data in asked.json["messages"][-1]["images"])
    counts = {"prompt_eval_count": 11, "eval_count": 5, "done": True, "done_reason": "stop"}
    message = {"role": "assistant", "content": text}
    await reply.whole(200, {**reply_to, "message": message, **counts})


@route("/api/embed")
async def ollama_embed(reply, asked):
    vectors = [VECTOR for _ in asked.json["input"]]
    counts = {"total_duration": 14143917, "load_duration": 1019500, "prompt_eval_count": 8}
    await reply.whole(200, {"model": asked.model, "embeddings": vectors, **counts})


# ---- Reranking: a document counts for the words that it shares with the query


def ranking(asked):
    def text(document):
        return document if isinstance(document, str) else document["text"]

    words = set(asked.json["query"].lower().split())
    scored = [
        {"index": index, "relevance_score": len(words & set(text(one).lower().split())) / len(words)}
        for index, one in enumerate(asked.json["documents"])
    ]
    scored.sort(key=lambda one: -one["relevance_score"])
    return scored[: asked.json.get("top_n")]


@route("/v2/rerank")
async def cohere_rerank(reply, asked):
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    await reply.whole(200, {"id": "rank-1", "results": ranking(asked), "meta": meta})


@route("/v1/rerank")
async def jina_rerank(reply, asked):
    results = ranking(asked)
    if asked.json.get("return_documents", True):
        for one in results:
            document = asked.json["documents"][one["index"]]
            one["document"] = {"text": document} if isinstance(document, str) else document
    usage = {"total_tokens": 27}
    ranked = {"model": asked.model, "object": "list", "usage": usage, "results": results}
    await reply.whole(200, ranked)


# ---- OpenAI's other endpoints


@route("/v1/embeddings")
async def embeddings(reply, asked):
    inputs = asked.json["input"]
    inputs = [inputs] if isinstance(inputs, str) else inputs
    vector = VECTOR
    if asked.json.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<3f", *VECTOR)).decode()
    vectors = [
        {"object": "embedding", "index": index, "embedding": vector} for index in range(len(inputs))
    ]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    await reply.whole(200, {"object": "list", "data": vectors, "model": asked.model, "usage": usage})


IMAGE_USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 272,
    "total_tokens": 322,
}


@route("/v1/images/generations")
async def images_generations(reply, asked):
    picture = base64.b64encode(PICTURE).decode()
    if asked.streamed:
        frame = {"b64_json": picture, "created_at": 1764000000, "output_format": "png"}
        partial = {"type": "image_generation.partial_image", "partial_image_index": 0, **frame}
        done = {"type": "image_generation.completed", "usage": IMAGE_USAGE, **frame}
        await stream(reply, asked, [partial], done, named)
        return
    pictures = [{"b64_json": picture} for _ in range(asked.json.get("n", 1))]
    await reply.whole(200, {"created": 1764000000, "data": pictures, "usage": IMAGE_USAGE})


@route("/v1/images/edits")
async def images_edits(reply, asked):
    """Gives back what was uploaded."""
    pictures = [{"b64_json": base64.b64encode(content).decode()} for _, content in asked.files]
    await reply.whole(200, {"created": 1764000000, "data": pictures, "usage": IMAGE_USAGE})


@route("/v1/images/variations")
async def images_variations(reply, asked):
    count = int(asked.fields.get("n", "1"))
    pictures = [{"url": f"https://pictures.invalid/{number}.png"} for number in range(count)]
    await reply.whole(200, {"created": 1764000000, "data": pictures})


@route("/v1/audio/speech")
async def audio_speech(reply, asked):
    await reply.start("audio/mpeg")
    for at in range(0, len(SPEECH), 50_000):
        await reply.chunk(SPEECH[at : at + 50_000])
    await reply.finish()


@route("/v1/audio/(transcriptions|translations)")
async def audio_text(reply, asked):
    """Says how much it heard."""
    ((_, sound),) = asked.files
    task = asked.path.removeprefix("/v1/audio/")[:-1]
    text = f"{len(sound)} bytes of speech, {task}"
    form = asked.fields.get("response_format", "json")
    if asked.streamed:
        usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 4, "total_tokens": 18}
        delta = {"type": "transcript.text.delta", "delta": text}
        done = {"type": "transcript.text.done", "text": text, "usage": usage}
        await stream(reply, asked, [delta], done, data)
    elif form == "text":
        await reply.whole(200, text.encode() + b"\n", kind="text/plain; charset=utf-8")
    elif form == "verbose_json":
        segment = {"id": 0, "seek": 0, "start": 0.0, "end": 2.5, "text": text, "tokens": [1, 2]}
        verbose = {"task": task, "language": "english", "duration": 2.5, "segments": [segment]}
        await reply.whole(200, {**verbose, "text": text})
    else:
        await reply.whole(200, {"text": text, "usage": {"type": "duration", "seconds": 3}})


@route("/v1/moderations")
async def moderations(reply, asked):
    inputs = asked.json["input"]
    inputs = [inputs] if isinstance(inputs, str) else inputs
    results = [
        {
            "flagged": "kill" in text,
            "categories": {"violence": "kill" in text, "hate": False},
            "category_scores": {"violence": 0.97 if "kill" in text else 1.0e-5, "hate": 0.0},
            "category_applied_input_types": {"violence": ["text"], "hate": []},
        }
        for text in inputs
    ]
    await reply.whole(200, {"id": "modr-1", "model": asked.model, "results": results})
