"""Pictures in a conversation: each dialect before upstreams of other protocols.

The upstream tells what it saw, and keeps the request: the picture stands where its protocol wants it.
"""

import base64

import pytest
from google.genai import types

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(48))
DATA = base64.b64encode(PICTURE).decode()
QUESTION = "What is this?"

# What a provider's protocol makes of the picture, and how it says what kind it is.
EXPECTED = {
    "mock-claude": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": DATA},
    },
    "mock-gemini": {"inlineData": {"mimeType": "image/png", "data": DATA}},
    "mock-ollama": DATA,
}

every_upstream = pytest.mark.parametrize("provider", ["mock", *EXPECTED])


def check(tag, provider, text):
    """The question stands before the picture, and the upstream has seen all of it."""
    body = tag.only.json
    last = body["contents" if provider == "mock-gemini" else "messages"][-1]
    match provider:
        case "mock":
            asked, picture = last["content"]
            assert asked == {"type": "text", "text": QUESTION}
            url = f"data:image/png;base64,{DATA}"
            assert picture["type"] == "image_url" and picture["image_url"]["url"] == url
            assert text == f"data:image/png;base64 {len(url)}"
            return
        case "mock-claude":
            asked, picture = last["content"]
            assert asked == {"type": "text", "text": QUESTION}
        case "mock-gemini":
            asked, picture = last["parts"]
            assert asked == {"text": QUESTION}
            # Carried as Google's SDK wrote it: the service takes either case.
            inline = picture["inlineData"]
            if "mime_type" in inline:
                inline["mimeType"] = inline.pop("mime_type")
        case "mock-ollama":
            assert last["content"] == QUESTION
            (picture,) = last["images"]
    assert picture == EXPECTED[provider]
    kind = "image" if provider == "mock-ollama" else "image/png"
    assert text == f"{kind} {len(PICTURE)}"


def model_of(provider, tag):
    return f"{provider}/{'image' if provider == 'mock' else 'eyes'}~{tag}"


@every_upstream
def test_by_chat_completions(client, tag, provider):
    url = {"url": f"data:image/png;base64,{DATA}"}
    content = [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": url}]
    reply = client.chat.completions.create(
        model=model_of(provider, tag), messages=[{"role": "user", "content": content}]
    )
    check(tag, provider, reply.choices[0].message.content)


@every_upstream
def test_by_responses(client, tag, provider):
    content = [
        {"type": "input_text", "text": QUESTION},
        {"type": "input_image", "image_url": f"data:image/png;base64,{DATA}", "detail": "auto"},
    ]
    reply = client.responses.create(
        model=model_of(provider, tag), input=[{"role": "user", "content": content}], store=False
    )
    check(tag, provider, reply.output_text)


@every_upstream
def test_by_messages(anthropic, tag, provider):
    source = {"type": "base64", "media_type": "image/png", "data": DATA}
    content = [{"type": "text", "text": QUESTION}, {"type": "image", "source": source}]
    reply = anthropic.messages.create(
        model=model_of(provider, tag),
        max_tokens=99,
        messages=[{"role": "user", "content": content}],
    )
    check(tag, provider, reply.content[0].text)


@every_upstream
def test_by_generate_content(gemini, tag, provider):
    parts = [types.Part(text=QUESTION), types.Part.from_bytes(data=PICTURE, mime_type="image/png")]
    reply = gemini.models.generate_content(
        model=model_of(provider, tag), contents=types.Content(role="user", parts=parts)
    )
    check(tag, provider, reply.text)


@pytest.mark.parametrize(
    ("provider", "picture"),
    [
        (
            "mock-claude",
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        ),
        (
            "mock-gemini",
            {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
        ),
    ],
)
def test_a_picture_elsewhere_is_left_there(client, tag, provider, picture):
    content = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    client.chat.completions.create(
        model=model_of(provider, tag), messages=[{"role": "user", "content": content}]
    )
    last = tag.only.json["contents" if provider == "mock-gemini" else "messages"][-1]
    assert (last.get("parts") or last["content"]) == [picture]
