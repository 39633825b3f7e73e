// Streams: chunk by chunk, whole or visibly broken, and given up on both sides.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HELLO, arrived, bounded, client, eventually, go, newTag } from './setup.js';

const ask = (model, more = {}) =>
  client().chat.completions.create({ model, messages: HELLO, stream: true, ...more });

test('each chunk arrives before the next is sent', bounded, async () => {
  const user = newTag();
  let seen = '';
  for await (const chunk of await ask('mock/gated', { user })) {
    seen += chunk.choices[0].delta.content ?? '';
    await go(user);
  }
  assert.equal(seen, '0 1 2 3 4 ');
});

test('chunks keep their pace', bounded, async () => {
  const start = performance.now();
  const times = [];
  for await (const chunk of await ask('mock/paced-200-6')) {
    if (chunk.choices[0].delta.content) times.push(performance.now() - start);
  }
  assert.equal(times.length, 6);
  assert.ok(times.at(-1) - times[0] > 800, `${times}`);
});

test('usage comes when it is asked for', bounded, async () => {
  const chunks = [];
  for await (const chunk of await ask('mock/chat', { stream_options: { include_usage: true } })) {
    chunks.push(chunk);
  }
  assert.equal(chunks.at(-1).usage.total_tokens, 16);
  for await (const chunk of await ask('mock/chat')) assert.ok(!chunk.usage);
});

for (const model of ['cut', 'no-done', 'error-in-stream']) {
  test(`a broken stream is an error: ${model}`, bounded, async () => {
    let seen = '';
    await assert.rejects(async () => {
      for await (const chunk of await ask(`mock/${model}`)) {
        seen += chunk.choices[0].delta.content ?? '';
      }
    });
    assert.match(seen, /^and/);
  });
}

test('a client that hangs up cancels the upstream', bounded, async () => {
  const user = newTag();
  const stream = await ask('mock/endless', { user });
  for await (const _ of stream) break;
  await eventually(async () => (await arrived(user))[0].hung_up);
});
