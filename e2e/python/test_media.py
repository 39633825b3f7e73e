"""Images, speech, its transcription, and moderation: bodies that pass as they are, seen from both ends."""

import base64
from email.parser import BytesParser
from email.policy import HTTP

import openai
import pytest

from conftest import eventually, rows

# As the scripted upstream has them.
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
SPEECH = bytes(range(256)) * 1200
# More than one chunk on the way, with what could be taken for the end of a part.
UPLOAD = b"\x89PNG\r\n\x1a\n" + b"\r\n--\r\n\x00\xff" * 40_000


def form(arrived):
    """The parts of an upload: names and contents, in their order."""
    head = b"content-type: " + arrived.headers["content-type"].encode() + b"\r\n\r\n"
    parts = BytesParser(policy=HTTP).parsebytes(head + arrived.body).iter_parts()
    return [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
        for part in parts
    ]


def check_row(raw, endpoint):
    headers = raw.headers
    (row,) = eventually(lambda: rows("id = ?", headers["x-request-id"]))
    assert (row["outcome"], row["status"], row["endpoint"]) == ("finished", 200, endpoint)
    assert row["provider"] == "mock"
    return row


def test_images_from_a_text(client, tag):
    raw = client.images.with_raw_response.generate(
        model=f"mock/painter~{tag}", prompt="A fox", n=2, size="1024x1024", quality="low"
    )
    reply = raw.parse()
    assert [base64.b64decode(one.b64_json) for one in reply.data] == [PICTURE] * 2
    assert reply.usage.input_tokens_details.image_tokens == 40
    assert tag.only.json == {
        "model": f"painter~{tag}",
        "prompt": "A fox",
        "n": 2,
        "size": "1024x1024",
        "quality": "low",
    }
    row = check_row(raw, "/v1/images/generations")
    assert (row["input_tokens"], row["output_tokens"]) == (50, 272)
    assert row["upstream_model"] == f"painter~{tag}"


def test_images_that_come_bit_by_bit(client, tag):
    stream = client.images.generate(
        model=f"mock/painter~{tag}", prompt="A fox", stream=True, partial_images=1
    )
    first, last = stream
    assert first.type == "image_generation.partial_image" and first.partial_image_index == 0
    assert last.type == "image_generation.completed" and last.usage.output_tokens == 272
    assert base64.b64decode(last.b64_json) == PICTURE
    row = check_row(stream.response, "/v1/images/generations")
    assert row["stream"] == 1 and row["output_tokens"] == 272


def test_an_image_changed(client, tag):
    raw = client.images.with_raw_response.edit(
        model=f"mock/painter~{tag}",
        image=[("a.png", UPLOAD, "image/png"), ("b.png", PICTURE, "image/png")],
        mask=("mask.png", PICTURE, "image/png"),
        prompt="Add a hat — größer",
    )
    pictures = [base64.b64decode(one.b64_json) for one in raw.parse().data]
    assert sorted(pictures) == sorted([UPLOAD, PICTURE, PICTURE])
    parts = dict(form(tag.only))
    assert parts["model"].decode() == f"painter~{tag}"
    assert parts["prompt"].decode() == "Add a hat — größer"
    check_row(raw, "/v1/images/edits")


def test_variations_of_an_image(client, tag):
    raw = client.images.with_raw_response.create_variation(
        model=f"mock/painter~{tag}", image=("a.png", UPLOAD, "image/png"), n=3
    )
    assert len([one.url for one in raw.parse().data]) == 3
    assert dict(form(tag.only))["image"] == UPLOAD
    check_row(raw, "/v1/images/variations")


def test_speech(client, tag):
    speech = {"voice": "alloy", "input": "Hello, world", "response_format": "mp3"}
    raw = client.audio.speech.with_raw_response.create(model=f"mock/speaker~{tag}", **speech)
    assert raw.headers["content-type"] == "audio/mpeg"
    assert raw.content == SPEECH
    assert tag.only.json == {"model": f"speaker~{tag}", **speech}
    row = check_row(raw, "/v1/audio/speech")
    assert row["bytes_out"] == len(SPEECH)
    with client.audio.speech.with_streaming_response.create(
        model="mock/speaker", **speech
    ) as streamed:
        assert b"".join(streamed.iter_bytes()) == SPEECH


@pytest.mark.parametrize("task", ["transcriptions", "translations"])
def test_text_of_speech(client, tag, task):
    raw = getattr(client.audio, task).with_raw_response.create(
        model=f"mock/listener~{tag}", file=("a.wav", UPLOAD, "audio/wav"), temperature=0
    )
    text = f"{len(UPLOAD)} bytes of speech, {task[:-1]}"
    assert raw.parse().text == text
    parts = dict(form(tag.only))
    assert parts["file"] == UPLOAD and parts["model"].decode() == f"listener~{tag}"
    check_row(raw, f"/v1/audio/{task}")


def test_text_of_speech_in_other_forms(client):
    ask = {"model": "mock/listener", "file": ("a.wav", PICTURE, "audio/wav")}
    text = f"{len(PICTURE)} bytes of speech, transcription"
    plain = client.audio.transcriptions.create(response_format="text", **ask)
    assert plain.strip() == text
    verbose = client.audio.transcriptions.create(response_format="verbose_json", **ask)
    assert (verbose.text, verbose.duration, verbose.segments[0].end) == (text, 2.5, 2.5)
    stream = client.audio.transcriptions.create(stream=True, **ask)
    delta, done = stream
    assert (delta.type, delta.delta) == ("transcript.text.delta", text)
    assert (done.type, done.text) == ("transcript.text.done", text)
    row = check_row(stream.response, "/v1/audio/transcriptions")
    assert (row["stream"], row["input_tokens"], row["output_tokens"]) == (1, 14, 4)


def test_moderation(client, tag):
    raw = client.moderations.with_raw_response.create(
        model=f"mock/judge~{tag}", input=["I will kill you", "I will feed you"]
    )
    reply = raw.parse()
    assert [one.flagged for one in reply.results] == [True, False]
    assert reply.results[0].category_scores.violence == 0.97
    # The client's name of the model, as everywhere.
    assert reply.model == f"mock/judge~{tag}"
    assert tag.only.json["model"] == f"judge~{tag}"
    check_row(raw, "/v1/moderations")


@pytest.mark.parametrize(
    "call",
    [
        lambda client, model: client.images.generate(model=model, prompt="A fox"),
        lambda client, model: client.images.edit(model=model, prompt="A hat", image=PICTURE),
        lambda client, model: client.audio.speech.create(model=model, voice="alloy", input="Hi"),
        lambda client, model: client.audio.transcriptions.create(model=model, file=PICTURE),
        lambda client, model: client.moderations.create(model=model, input="Hi"),
        lambda client, model: client.embeddings.create(model=model, input="Hi"),
    ],
    ids=["images", "edits", "speech", "transcriptions", "moderations", "embeddings"],
)
def test_errors(client, keyed, call):
    with pytest.raises(openai.RateLimitError, match="The mock answers 429") as limited:
        call(client, "mock/status-429")
    assert limited.value.response.headers["retry-after"] == "30"
    with pytest.raises(openai.NotFoundError):
        call(client, "nobody/nothing")
    with pytest.raises(openai.AuthenticationError):
        call(keyed.with_options(api_key="sk-wrong"), "mock/any")
    call(keyed, "mock/any")


def test_an_upload_over_the_limit(keyed):
    with pytest.raises(openai.APIStatusError) as error:
        keyed.audio.transcriptions.create(model="mock/listener", file=("a.wav", UPLOAD))
    assert error.value.status_code == 413


def test_a_provider_without_the_endpoint(client):
    with pytest.raises(openai.BadRequestError) as error:
        client.images.generate(model="mock-claude/any", prompt="A fox")
    assert "mock-claude" in error.value.message
