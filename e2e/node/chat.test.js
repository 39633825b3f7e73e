// What an application does with the SDK.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { BARE, HELLO, arrived, bounded, client, newTag } from './setup.js';

test('a reply', bounded, async () => {
  const user = newTag();
  const reply = await client().chat.completions.create({ model: 'mock/chat', messages: HELLO, user });
  assert.equal(reply.choices[0].message.content, 'Hello, world');
  assert.equal(reply.model, 'mock/chat');
  assert.equal(reply.usage.total_tokens, 16);
  const [request] = await arrived(user);
  assert.equal(request.json.model, 'chat');
  assert.equal(request.headers.authorization, 'Bearer sk-upstream');
});

test('the provider header wins over model and key', bounded, async () => {
  const user = newTag();
  const other = client(undefined, { defaultHeaders: { 'x-llm-provider': 'mock' } });
  const reply = await other.chat.completions.create({ model: 'mine', messages: HELLO, user });
  assert.equal(reply.choices[0].message.content, 'Hello, world');
  assert.equal((await arrived(user))[0].json.model, 'chat');
});

test('structured output', bounded, async () => {
  const City = z.object({
    name: z.string(),
    population: z.number(),
    districts: z.array(z.string()),
  });
  const reply = await client().chat.completions.parse({
    model: 'mock/structured',
    messages: HELLO,
    response_format: zodResponseFormat(City, 'city'),
  });
  assert.deepEqual(reply.choices[0].message.parsed, {
    name: 'city',
    population: 2_100_000,
    districts: ['1er', '2e'],
  });
});

test('images', bounded, async () => {
  const user = newTag();
  const url = `data:image/png;base64,${'A'.repeat(100_000)}`;
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url, detail: 'high' } },
  ];
  const messages = [{ role: 'user', content }];
  const reply = await client().chat.completions.create({ model: 'mock/image', messages, user });
  assert.equal(reply.choices[0].message.content, `data:image/png;base64 ${url.length}`);
  assert.deepEqual((await arrived(user))[0].json.messages, messages);
});

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const question = { role: 'user', content: 'How is the weather in Paris and in Tokyo?' };

for (const streamed of [false, true]) {
  test(`tools there and back, ${streamed ? 'streamed' : 'at once'}`, bounded, async () => {
    const seen = [];
    const runner = client().chat.completions.runTools({
      model: 'mock/tools',
      stream: streamed,
      messages: [question],
      tools: [
        {
          ...weather,
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ city }) => {
              seen.push(city);
              return `${city} is fine`;
            },
          },
        },
      ],
    });
    assert.equal(await runner.finalContent(), 'The tools said: Paris is fine, 東京 is fine');
    assert.deepEqual(seen, ['Paris', '東京']);
  });
}

test('models', bounded, async () => {
  const names = [];
  for await (const model of client().models.list()) names.push(model.id);
  assert.ok(names.includes('house-model'), names.join(', '));
});

test('the simulated provider of a bare gateway', bounded, async () => {
  const ask = { model: 'gpt-4o', messages: HELLO };
  const whole = await client(BARE).chat.completions.create(ask);
  const stream = client(BARE).chat.completions.stream(ask);
  assert.equal(await stream.finalContent(), whole.choices[0].message.content);
  assert.ok(whole.choices[0].message.content.length > 0);
});
