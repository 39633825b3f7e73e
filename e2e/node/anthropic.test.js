// Anthropic's SDK before upstreams of every protocol.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';

import { ANSWER, CITIES, CROSSING, GREETING, OPEN, QUESTION, bounded } from './setup.js';

const anthropic = new Anthropic({
  baseURL: OPEN,
  apiKey: 'sk-anything',
  maxRetries: 0,
  timeout: 30_000,
});
const ask = (provider, content, more = {}) => ({
  model: `${provider}/some-model`,
  max_tokens: 99,
  messages: [{ role: 'user', content }],
  ...more,
});
const tools = [
  {
    name: 'weather',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

for (const provider of CROSSING) {
  test(`messages of ${provider}`, bounded, async () => {
    const request = ask(provider, 'hello');
    const whole = await anthropic.messages.create(request);
    const streamed = await anthropic.messages.stream(request).finalMessage();
    for (const reply of [whole, streamed]) {
      assert.equal(reply.content[0].text, GREETING);
      assert.equal(reply.model, `${provider}/some-model`);
      assert.equal(reply.stop_reason, 'end_turn');
    }
  });

  test(`tools of ${provider}`, bounded, async () => {
    const request = ask(provider, QUESTION, { tools });
    const reply = await anthropic.messages.stream(request).finalMessage();
    assert.equal(reply.stop_reason, 'tool_use');
    const calls = reply.content.filter((block) => block.type === 'tool_use');
    assert.deepEqual(
      calls.map((call) => call.input),
      CITIES,
    );
    const results = calls.map((call) => ({
      type: 'tool_result',
      tool_use_id: call.id,
      content: 'fine',
    }));
    request.messages.push(
      { role: 'assistant', content: reply.content },
      { role: 'user', content: results },
    );
    const last = await anthropic.messages.stream(request).finalMessage();
    assert.equal(last.content[0].text, ANSWER);
  });

  test(`errors of ${provider}`, bounded, async () => {
    await assert.rejects(anthropic.messages.create(ask(provider, 'limit')), Anthropic.RateLimitError);
    let text = '';
    const cut = anthropic.messages.stream(ask(provider, 'cut'));
    cut.on('text', (delta) => (text += delta));
    await assert.rejects(cut.finalMessage());
    assert.match(text, /^This will/);
  });
}
