// What the tests share. `cargo xtask test` starts the processes and sets the variables.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import OpenAI from 'openai';

const variable = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test e2e\``);
  return value;
};

export const MOCK = variable('E2E_MOCK_URL');
export const OPEN = variable('E2E_OPEN_URL');
export const KEYED = variable('E2E_KEYED_URL');
export const KEY = variable('E2E_KEY');
export const BARE = variable('E2E_BARE_URL');

export const HELLO = [{ role: 'user', content: 'Say hello' }];

export const client = (base = OPEN, options = {}) =>
  new OpenAI({
    baseURL: `${base}/v1`,
    apiKey: 'sk-anything',
    maxRetries: 0,
    timeout: 30_000,
    ...options,
  });

/** For every test: one that hangs is one that fails. */
export const bounded = { timeout: 30_000 };

/** A name for one test's requests; sent as `user`, or behind a `~` at the end of the model's name. */
export const newTag = () => randomUUID();

/** The requests with this tag, as the mock upstream got them: bodies are bytes. */
export async function received(tag) {
  const entries = await (await fetch(`${MOCK}/journal/${tag}`)).json();
  return entries.map((entry) => ({
    ...entry,
    headers: Object.fromEntries(entry.headers.map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(entry.body, 'base64'),
  }));
}

/** The same where bodies are JSON. */
export async function arrived(tag) {
  const entries = await received(tag);
  return entries.map((entry) => ({ ...entry, json: JSON.parse(entry.body.toString()) }));
}

/** Lets the mock send the next chunk of the scenario `gated`. */
export const go = (tag) => fetch(`${MOCK}/go/${tag}`, { method: 'POST', body: '' });

/** Waits until `probe` gives something true, and gives it back. */
export async function eventually(probe, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${probe}`);
    await sleep(20);
  }
}

/** Providers of several protocols before aimock; `e2e/aimock.json` has the answers. */
export const CROSSING = ['chat', 'openai', 'claude', 'gemini', 'ollama', 'cohere'];
export const GREETING = 'Hello there, this is a rather longer greeting.';
export const QUESTION = 'How is the weather in Paris and in Tokyo?';
export const CITIES = [{ city: 'Paris' }, { city: '東京' }];
export const ANSWER = 'It is 21 degrees in Paris and 17 in 東京.';
