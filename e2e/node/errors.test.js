// Errors are the SDK's own types.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';

import { HELLO, KEY, KEYED, arrived, bounded, client, newTag } from './setup.js';

const ask = (it, model, more = {}) =>
  it.chat.completions.create({ model, messages: HELLO, ...more });

test('a wrong key', bounded, async () => {
  await assert.rejects(ask(client(KEYED, { apiKey: 'sk-wrong' }), 'mock/chat'), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.code, 'invalid_api_key');
    return true;
  });
});

test('the right key', bounded, async () => {
  const reply = await ask(client(KEYED, { apiKey: KEY }), 'mock/chat');
  assert.equal(reply.choices[0].message.content, 'Hello, world');
});

test('an unknown model', bounded, async () => {
  await assert.rejects(ask(client(), 'mock-of-nobody/chat'), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    return true;
  });
});

test('a bad request', bounded, async () => {
  await assert.rejects(ask(client(), 'mock/chat', { messages: 'hello' }), OpenAI.BadRequestError);
});

test('a body over the limit', bounded, async () => {
  const messages = [{ role: 'user', content: 'A'.repeat(300_000) }];
  const call = ask(client(KEYED, { apiKey: KEY }), 'mock/chat', { messages });
  await assert.rejects(call, (error) => error.status === 413);
});

for (const [code, kind, status] of [
  [429, OpenAI.RateLimitError, 429],
  [500, OpenAI.InternalServerError, 502],
  [503, OpenAI.InternalServerError, 503],
]) {
  for (const stream of [false, true]) {
    test(`an upstream's ${code}${stream ? ', streamed' : ''}`, bounded, async () => {
      await assert.rejects(ask(client(), `mock/status-${code}`, { stream }), (error) => {
        assert.ok(error instanceof kind, `${error}`);
        assert.equal(error.status, status);
        return true;
      });
    });
  }
}

test('the SDK tries again', bounded, async () => {
  const user = newTag();
  const reply = await ask(client(undefined, { maxRetries: 2 }), 'mock/flaky-503', { user });
  assert.equal(reply.choices[0].message.content, 'Hello, world');
  assert.equal((await arrived(user)).length, 3);
});

test('the SDK gives up in time', bounded, async () => {
  const call = ask(client(undefined, { timeout: 300 }), 'mock/stall-before-head');
  await assert.rejects(call, OpenAI.APIConnectionTimeoutError);
});
