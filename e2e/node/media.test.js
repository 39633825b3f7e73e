// Embeddings, images, speech and moderation by OpenAI's SDK: what is no chat.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI, { toFile } from 'openai';

import { bounded, client, newTag, received } from './setup.js';

const VECTOR = [0.5, -0.25, 0.125];
const PACKED = 'AAAAPwAAgL4AAAA+';
const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), range(64)]);
const SPEECH = Buffer.concat(Array.from({ length: 1200 }, () => range(256)));
// More than one chunk on the way, with what could be taken for the end of a part.
const UPLOAD = Buffer.from('\r\n--\r\n\x00\xff'.repeat(40_000), 'latin1');

function range(end) {
  return Buffer.from(Array.from({ length: end }, (_, byte) => byte));
}

for (const provider of ['mock', 'mock-gemini', 'mock-ollama', 'cohere']) {
  test(`embeddings of ${provider}`, bounded, async () => {
    const request = { model: `${provider}/some-model`, input: ['vector one', 'vector two'] };
    const usual = await client().embeddings.create(request);
    const floats = await client().embeddings.create({ ...request, encoding_format: 'float' });
    for (const reply of [usual, floats]) {
      assert.equal(reply.model, request.model);
      assert.deepEqual(
        reply.data.map((one) => [one.index, one.embedding]),
        [
          [0, VECTOR],
          [1, VECTOR],
        ],
      );
    }
    const packed = await client().embeddings.create({ ...request, encoding_format: 'base64' });
    assert.equal(packed.data[1].embedding, PACKED);
  });
}

test('images from a text', bounded, async () => {
  const tag = newTag();
  const request = { model: `mock/painter~${tag}`, prompt: 'A fox', n: 2 };
  const { data, usage } = await client().images.generate(request);
  assert.deepEqual(
    data.map((one) => Buffer.from(one.b64_json, 'base64')),
    [PICTURE, PICTURE],
  );
  assert.equal(usage.output_tokens, 272);
  const stream = await client().images.generate({ ...request, stream: true, partial_images: 1 });
  const types = [];
  for await (const event of stream) types.push(event.type);
  assert.deepEqual(types, ['image_generation.partial_image', 'image_generation.completed']);
  const [whole, streamed] = await received(tag);
  assert.equal(JSON.parse(whole.body).model, `painter~${tag}`);
  assert.equal(JSON.parse(streamed.body).stream, true);
});

test('an image changed, and variations of it', bounded, async () => {
  const image = await toFile(UPLOAD, 'a.png', { type: 'image/png' });
  const model = 'mock/painter';
  const edited = await client().images.edit({ model, image, prompt: 'Add a hat — größer' });
  assert.deepEqual(Buffer.from(edited.data[0].b64_json, 'base64'), UPLOAD);
  const varied = await client().images.createVariation({ model, image, n: 3 });
  assert.equal(varied.data.length, 3);
});

test('speech', bounded, async () => {
  const reply = await client().audio.speech.create({
    model: 'mock/speaker',
    voice: 'alloy',
    input: 'Hello, world',
  });
  assert.equal(reply.headers.get('content-type'), 'audio/mpeg');
  assert.deepEqual(Buffer.from(await reply.arrayBuffer()), SPEECH);
});

test('text of speech', bounded, async () => {
  const tag = newTag();
  const file = await toFile(UPLOAD, 'a.wav', { type: 'audio/wav' });
  const request = { model: `mock/listener~${tag}`, file };
  const { text } = await client().audio.transcriptions.create(request);
  assert.equal(text, `${UPLOAD.length} bytes of speech, transcription`);
  const translated = await client().audio.translations.create(request);
  assert.equal(translated.text, `${UPLOAD.length} bytes of speech, translation`);
  const events = [];
  for await (const event of await client().audio.transcriptions.create({ ...request, stream: true }))
    events.push([event.type, event.delta ?? event.text]);
  assert.deepEqual(events, [
    ['transcript.text.delta', text],
    ['transcript.text.done', text],
  ]);
  for (const { body } of await received(tag)) {
    assert.ok(body.includes(UPLOAD), 'the file arrived byte for byte');
    assert.ok(!body.includes('mock/listener'), 'the upstream has its own name of the model');
  }
});

test('moderation', bounded, async () => {
  const model = 'mock/judge';
  const reply = await client().moderations.create({ model, input: ['I will kill you', 'I will feed you'] });
  assert.deepEqual(
    reply.results.map((one) => one.flagged),
    [true, false],
  );
  assert.equal(reply.model, model);
});

test('errors of what is no chat', bounded, async () => {
  const calls = [
    (model) => client().embeddings.create({ model, input: 'Hi' }),
    (model) => client().images.generate({ model, prompt: 'A fox' }),
    (model) => client().audio.speech.create({ model, voice: 'alloy', input: 'Hi' }),
    async (model) =>
      client().audio.transcriptions.create({ model, file: await toFile(PICTURE, 'a.wav') }),
    (model) => client().moderations.create({ model, input: 'Hi' }),
  ];
  for (const call of calls) {
    await assert.rejects(call('mock/status-429'), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
      assert.match(error.message, /The mock answers 429/);
      assert.equal(error.headers.get('retry-after'), '30');
      return true;
    });
    await assert.rejects(call('nobody/nothing'), OpenAI.NotFoundError);
  }
});
