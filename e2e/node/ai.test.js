// Vercel's AI SDK with its OpenAI provider, before upstreams of every protocol. It holds each event
// of a Responses stream against a schema.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOpenAI } from '@ai-sdk/openai';
import { Output, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { ANSWER, CITIES, CROSSING, GREETING, OPEN, QUESTION, bounded } from './setup.js';

const openai = createOpenAI({ baseURL: `${OPEN}/v1`, apiKey: 'sk-anything' });
const protocols = { chat: openai.chat, responses: openai.responses };

for (const [protocol, open] of Object.entries(protocols)) {
  for (const provider of CROSSING) {
    const ask = (prompt, more = {}) => ({
      model: open(`${provider}/some-model`),
      prompt,
      maxRetries: 0,
      // The default prints what the assertions are about.
      onError: () => {},
      ...more,
    });

    test(`${protocol}: text of ${provider}`, bounded, async () => {
      const whole = await generateText(ask('hello'));
      assert.equal(whole.text, GREETING);
      assert.equal(whole.finishReason, 'stop');
      const stream = streamText(ask('hello'));
      let text = '';
      for await (const part of stream.fullStream) {
        assert.notEqual(part.type, 'error', JSON.stringify(part.error));
        if (part.type === 'text-delta') text += part.text;
      }
      assert.equal(text, GREETING);
      assert.equal(await stream.finishReason, 'stop');
    });

    test(`${protocol}: a tool loop of ${provider}`, bounded, async () => {
      const asked = [];
      const weather = tool({
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => {
          asked.push({ city });
          return 'fine';
        },
      });
      const stream = streamText(
        ask(QUESTION, { tools: { weather }, stopWhen: stepCountIs(3) }),
      );
      assert.equal(await stream.text, ANSWER);
      assert.deepEqual(asked, CITIES);
      assert.equal((await stream.steps).length, 2);
    });

    test(`${protocol}: an object of ${provider}`, bounded, async () => {
      const schema = z.object({ name: z.string(), age: z.number() });
      const { output } = await generateText(
        ask('A person, please', { output: Output.object({ schema }) }),
      );
      assert.deepEqual(output, { name: 'Ada', age: 36 });
    });

    test(`${protocol}: errors of ${provider}`, bounded, async () => {
      await assert.rejects(generateText(ask('limit')), { statusCode: 429 });
      const errors = [];
      const stream = streamText(ask('cut', { onError: ({ error }) => errors.push(error) }));
      let [text, reason] = ['', undefined];
      for await (const part of stream.fullStream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'finish') reason = part.finishReason;
      }
      assert.match(text, /^This will/);
      assert.ok(errors.length > 0, 'a cut stream is an error');
      assert.notEqual(reason, 'stop');
    });
  }
}
