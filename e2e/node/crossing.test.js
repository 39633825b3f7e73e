// OpenAI's SDK, Chat and Responses, before upstreams of every protocol.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';

import { ANSWER, CITIES, CROSSING, GREETING, QUESTION, bounded, client } from './setup.js';

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
};
const tools = [{ type: 'function', function: { name: 'weather', parameters } }];
const user = (content) => ({ role: 'user', content });

for (const provider of CROSSING) {
  const model = `${provider}/some-model`;

  test(`chat of ${provider}`, bounded, async () => {
    const request = { model, messages: [user('hello')] };
    const whole = await client().chat.completions.create(request);
    const streamed = await client().chat.completions.stream(request).finalChatCompletion();
    for (const reply of [whole, streamed]) {
      assert.equal(reply.choices[0].message.content, GREETING);
      assert.equal(reply.choices[0].finish_reason, 'stop');
      assert.equal(reply.model, model);
    }
  });

  test(`tools of ${provider}, by chat`, bounded, async () => {
    const request = { model, messages: [user(QUESTION)], tools };
    const reply = await client().chat.completions.stream(request).finalChatCompletion();
    const { message, finish_reason } = reply.choices[0];
    assert.equal(finish_reason, 'tool_calls');
    const calls = message.tool_calls;
    assert.deepEqual(
      calls.map((call) => JSON.parse(call.function.arguments)),
      CITIES,
    );
    const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'fine' }));
    request.messages.push(message, ...results);
    const last = await client().chat.completions.stream(request).finalChatCompletion();
    assert.equal(last.choices[0].message.content, ANSWER);
  });

  test(`responses of ${provider}`, bounded, async () => {
    const request = { model, input: 'hello', store: false };
    const whole = await client().responses.create(request);
    const streamed = await client().responses.stream(request).finalResponse();
    for (const reply of [whole, streamed]) {
      assert.equal(reply.output_text, GREETING);
      assert.equal(reply.status, 'completed');
      assert.equal(reply.model, model);
    }
  });

  test(`tools of ${provider}, by responses`, bounded, async () => {
    const tool = { type: 'function', name: 'weather', parameters, strict: false };
    const request = { model, input: [user(QUESTION)], tools: [tool], store: false };
    const reply = await client().responses.create(request);
    const calls = reply.output.filter((item) => item.type === 'function_call');
    assert.deepEqual(
      calls.map((call) => JSON.parse(call.arguments)),
      CITIES,
    );
    const results = calls.map(({ call_id }) => ({
      type: 'function_call_output',
      call_id,
      output: 'fine',
    }));
    request.input.push(...reply.output, ...results);
    const last = await client().responses.create(request);
    assert.equal(last.output_text, ANSWER);
  });

  test(`errors of ${provider}`, bounded, async () => {
    const limited = { model, messages: [user('limit')] };
    await assert.rejects(client().chat.completions.create(limited), OpenAI.RateLimitError);
    let text = '';
    await assert.rejects(async () => {
      const cut = { model, messages: [user('cut')], stream: true };
      for await (const chunk of await client().chat.completions.create(cut)) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
    });
    assert.match(text, /^This will/);
  });
}
