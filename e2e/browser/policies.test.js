// Policies, edited in the browser, and met by an SDK with its next request: with a script and without.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';

import { NARROW, WIDE, launch, looksRight, open } from './setup.js';

const variable = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test browser\``);
  return value;
};
const GATEWAY = variable('E2E_POLICED_URL');
const DASHBOARD = variable('E2E_POLICED_ADMIN_URL');
const TOKEN = variable('E2E_POLICED_TOKEN');
const LOGIN = `${DASHBOARD}/login?token=${TOKEN}`;
const KEY = variable('E2E_KEY');
const MOCK = variable('E2E_MOCK_URL');

const bounded = { timeout: 90_000 };
let browser;
before(async () => {
  browser = await launch();
}, bounded);
after(() => browser?.close(), bounded);

/** One request through the SDK; never the same one twice, unless it is said what is asked. */
function ask(content = `Say hello ${randomUUID()}`, options = {}) {
  const { apiKey = KEY, model = 'mock/chat', user } = options;
  const client = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey, maxRetries: 0, timeout: 20_000 });
  return client.chat.completions.create({ model, user, messages: [{ role: 'user', content }] }).withResponse();
}

/** The texts of the system's messages that reached the upstream. */
async function told() {
  const user = randomUUID();
  await ask(undefined, { user });
  const [entry] = await (await fetch(`${MOCK}/journal/${user}`)).json();
  const { messages } = JSON.parse(Buffer.from(entry.body, 'base64').toString());
  return messages.filter(({ role }) => role === 'system').map(({ content }) => content);
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** Opens the page, with a session. */
async function visit(page, path, javaScriptEnabled) {
  if ((await page.context().cookies()).length === 0) await page.goto(LOGIN);
  await page.goto(DASHBOARD + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (javaScriptEnabled) await page.locator('.frame[data-awake]').waitFor();
}

const said = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

/** Deletes what the page is about, after asking once more. */
async function remove(page) {
  await page.getByText('Delete…', { exact: true }).click();
  await press(page, 'Delete it');
  await said(page, 'Deleted');
}

/** As it is: a form that was sent is on no other page. */
async function looksRightEverywhere(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of [['1440', WIDE], ['390', NARROW]]) {
      await page.setViewportSize(viewport);
      await looksRight(page, `${name}-${colorScheme}-${size}`);
    }
  }
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with a script' : 'without a script';

  /** A test with a page of its own, on which nothing may be complained about but what was refused. */
  const edits = (name, body) =>
    test(`${name}, ${how}`, bounded, async () => {
      const { page, complaints, close } = await open(browser, { javaScriptEnabled });
      try {
        await body(page, (path) => visit(page, path, javaScriptEnabled));
        assert.deepEqual(
          complaints.filter((text) => !/4(09|22)/.test(text)),
          [],
        );
      } finally {
        await close();
      }
    });

  edits('a system prompt reaches the model', async (page, go) => {
    assert.deepEqual(await told(), []);
    await go('/system-prompt');
    await page.getByLabel('Text', { exact: true }).fill('Be brief.\nThe model is {{model}}.');
    await press(page, 'Save');
    await said(page, 'Saved');
    assert.deepEqual(await told(), ['Be brief.\nThe model is mock/chat.']);

    await go('/system-prompt');
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'Be brief.\nThe model is {{model}}.');
    await page.getByLabel('Text', { exact: true }).fill('Be kind.');
    await press(page, 'Save');
    await said(page, 'Saved');
    assert.deepEqual(await told(), ['Be kind.']);
    await page.getByRole('button', { name: /^Restore/ }).first().click();
    await said(page, 'Restored');
    assert.deepEqual(await told(), ['Be brief.\nThe model is mock/chat.']);

    await page.getByLabel('Text', { exact: true }).fill('');
    await press(page, 'Save');
    await page.getByRole('alert').waitFor();
    const text = page.getByLabel('Text', { exact: true });
    assert.equal(await text.getAttribute('aria-invalid'), 'true');
    await go('/system-prompt');
    await remove(page);
    assert.deepEqual(await told(), []);
  });

  edits('a second editor is told what changed, and saves over it on purpose', async (page, go) => {
    const text = page.getByLabel('Text', { exact: true });
    await go('/system-prompt');
    await text.fill('One.');
    await press(page, 'Save');
    await said(page, 'Saved');

    await go('/system-prompt');
    const other = await fetch(`${DASHBOARD}/api/v1/system-prompts/default`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'Two.' }),
    });
    assert.equal(other.status, 200);
    await text.fill('Mine.');
    await press(page, 'Save');
    await page.getByRole('alert').filter({ hasText: 'changed the system prompt default' }).waitFor();
    assert.equal(await text.inputValue(), 'Mine.');
    await page.getByText('In force now: Two.').waitFor();
    assert.deepEqual(await told(), ['Two.']);
    if (javaScriptEnabled) await looksRightEverywhere(page, 'conflict');

    await page.getByLabel('Save over it').check();
    await press(page, 'Save');
    await said(page, 'Saved');
    assert.deepEqual(await told(), ['Mine.']);
    await go('/system-prompt');
    await remove(page);
  });

  edits('a mistake is told in its row', async (page, go) => {
    const row = (index) => page.getByRole('group', { name: `rate limit ${index}`, exact: true });
    await go('/keys?new=1');
    await page.getByLabel('Name', { exact: true }).fill(`rows-${javaScriptEnabled}`);
    await page.getByText('Add a rate limit').first().click();
    await page.getByText('Add a rate limit').nth(1).click();
    await row(2).getByLabel('Window').fill('1h');
    await press(page, 'Create');
    await page.getByRole('alert').getByRole('link', { name: 'Give a number' }).waitFor();
    const requests = row(2).getByLabel('Requests');
    assert.equal(await requests.getAttribute('aria-invalid'), 'true');
    assert.equal(await row(1).getByLabel('Requests').getAttribute('aria-invalid'), null);
    assert.equal(await row(2).getByLabel('Window').inputValue(), '1h');
    if (javaScriptEnabled) await looksRightEverywhere(page, 'mistake');
    await requests.fill('5');
    await press(page, 'Create');
    await page.getByLabel('Secret', { exact: true }).waitFor();
    await go(`/keys?edit=rows-${javaScriptEnabled}`);
    assert.equal(await row(1).getByLabel('Requests').inputValue(), '5');
    await remove(page);
  });

  edits('a guardrail blocks', async (page, go) => {
    const name = `titan-${javaScriptEnabled}`;
    await go('/guardrails');
    await page.getByRole('link', { name: 'New guardrail' }).click();
    await page.getByRole('link', { name: /Banned phrases/ }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Phrases', { exact: true }).fill('project titan');
    // It is tried before it is there.
    await page.getByText('Try it on a text').click();
    await page.getByLabel('Text to try').fill('What is Project TITAN?');
    await press(page, 'Try, without saving');
    await page.getByText('Blocked: the client is told').waitFor();
    await ask(`Of Project Titan ${randomUUID()}`);
    await press(page, 'Create');
    await said(page, 'Saved');

    await assert.rejects(ask(`Of Project Titan ${randomUUID()}`), (error) => {
      assert.equal(error.status, 400);
      assert.equal(error.code, 'content_policy_violation');
      return true;
    });
    await ask();

    await page.getByLabel('Text', { exact: true }).fill('The Project Titan files');
    await press(page, 'Test');
    await page.getByText('Blocked: the client is told').waitFor();
    await go('/guardrails');
    await page.getByText('1 blocked').waitFor();
    await press(page, `Disable ${name}`);
    await said(page, 'Saved');
    await ask(`Of Project Titan ${randomUUID()}`);
    await page.getByRole('link', { name, exact: true }).click();
    await remove(page);
  });

  edits('a rate limit holds', async (page, go) => {
    const name = `one-${javaScriptEnabled}`;
    await go('/limits');
    await page.getByRole('link', { name: 'New rate limit' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Window').fill('1h');
    await press(page, 'Create');
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByLabel('Requests', { exact: true }).getAttribute('aria-invalid'), 'true');
    assert.equal(await page.getByLabel('Window').inputValue(), '1h');
    await page.getByLabel('Requests', { exact: true }).fill('2');
    await press(page, 'Create');
    await said(page, 'Saved');

    await ask();
    await ask();
    await assert.rejects(ask(), (error) => {
      assert.equal(error.status, 429);
      assert.equal(error.code, 'rate_limit_exceeded');
      assert.ok(Number(error.headers.get('retry-after')) > 0);
      return true;
    });
    await go('/limits');
    await page.getByText('2 of 2 requests').first().waitFor();
    await page.getByRole('link', { name, exact: true }).click();
    await remove(page);
    await ask();
  });

  edits('a budget in dollars is kept', async (page, go) => {
    const name = `nothing-${javaScriptEnabled}`;
    await go('/limits?view=budgets');
    await page.getByRole('link', { name: 'New quota or budget' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('US dollars').fill('150');
    await page.getByLabel('Requests', { exact: true }).fill('1');
    await press(page, 'Create');
    await said(page, 'Saved');
    await page.getByText('$150.00, 1 request a month').waitFor();
    await ask();
    await assert.rejects(ask(), (error) => {
      assert.equal(error.status, 429);
      assert.equal(error.code, 'quota_exceeded');
      return true;
    });
    await page.getByRole('link', { name, exact: true }).click();
    await remove(page);
    await ask();
  });

  edits('the cache answers, and forgets', async (page, go) => {
    const outcome = async (content) => (await ask(content)).response.headers.get('x-cache');
    const question = `Say hello ${randomUUID()}`;
    await go('/cache');
    const enabled = page.getByLabel('Enabled', { exact: true }).first();
    await enabled.setChecked(true);
    await press(page, 'Save');
    await said(page, 'Saved');
    assert.equal(await outcome(question), 'MISS');
    assert.equal(await outcome(question), 'HIT');
    await go('/cache');
    await page.getByRole('button', { name: /^Forget/ }).first().click();
    await said(page, 'Cleared');
    assert.equal(await outcome(question), 'MISS');
    await page.getByText('Clear all…').click();
    await press(page, 'Clear');
    await said(page, 'Cleared');
    assert.equal(await outcome(question), 'MISS');

    await page.getByLabel('Enabled', { exact: true }).first().setChecked(false);
    await press(page, 'Save');
    await said(page, 'Saved');
    assert.notEqual(await outcome(question), 'HIT');
    await page.getByText('Reset…').click();
    await press(page, 'Reset it');
    await said(page, 'Reset');
    assert.notEqual(await outcome(question), null);
  });

  edits('a key is created, used, rotated and revoked', async (page, go) => {
    const name = `laptop-${javaScriptEnabled}`;
    await go('/keys');
    await page.getByRole('link', { name: 'New key' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Owner').fill('Ada');
    await press(page, 'Create');
    const first = await page.getByLabel('Secret', { exact: true }).inputValue();
    assert.ok(!page.url().includes(first));
    try {
      await ask(undefined, { apiKey: first });
      await assert.rejects(ask(undefined, { apiKey: `${first}x` }), { status: 401, code: 'invalid_api_key' });
      await page.goto(`${DASHBOARD}/keys`);
      assert.ok(!(await page.content()).includes(first), 'it is shown once');

      await page.getByRole('link', { name, exact: true }).click();
      await page.getByText('Rotate…').click();
      await page.getByLabel('The old secret is taken for another').fill('1h');
      await press(page, 'Rotate it');
      const second = await page.getByLabel('Secret', { exact: true }).inputValue();
      assert.notEqual(second, first);
      await ask(undefined, { apiKey: second });
      await ask(undefined, { apiKey: first });

      await page.goto(`${DASHBOARD}/keys`);
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByText('Revoke…').click();
      await press(page, 'Revoke it');
      await said(page, 'Saved');
      for (const apiKey of [first, second]) {
        await assert.rejects(ask(undefined, { apiKey }), { status: 401, code: 'invalid_api_key' });
      }
    } finally {
      await page.goto(`${DASHBOARD}/keys`);
      await page.getByRole('link', { name, exact: true }).click();
      await remove(page);
    }
    await ask();
  });
}

const PAGES = [
  ['system-prompt', '/system-prompt'],
  ['guardrails', '/guardrails'],
  ['guardrail-kinds', '/guardrails?new=1'],
  ['guardrail', '/guardrails?new=1&check=pii'],
  ['limits', '/limits'],
  ['limit', '/limits?new=1'],
  ['budget', '/limits?view=budgets&new=1'],
  ['cache', '/cache'],
  ['keys', '/keys'],
  ['key', '/keys?new=1'],
];

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of [
    ['1440', WIDE],
    ['390', NARROW],
  ]) {
    test(`policies look right, ${colorScheme}, ${size}`, bounded, async () => {
      const { page, complaints, close } = await open(browser, { colorScheme, viewport });
      try {
        for (const [name, path] of PAGES) {
          await visit(page, path, true);
          await looksRight(page, `${name}-${colorScheme}-${size}`);
        }
        assert.deepEqual(complaints, []);
      } finally {
        await close();
      }
    });
  }
}

test('pages are reached by their links, without a reload', bounded, async () => {
  const { page, complaints, close } = await open(browser);
  try {
    await visit(page, '/keys', true);
    await page.evaluate(() => {
      window.neverReloaded = true;
    });
    for (const name of ['Limits', 'Guardrails', 'System prompt', 'Cache', 'Keys']) {
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
      assert.equal(await page.title(), `${name} · AI Gateway`);
    }
    await page.getByRole('link', { name: 'New key' }).click();
    await page.getByLabel('Owner').waitFor();
    assert.equal(await page.evaluate(() => window.neverReloaded), true);
    assert.deepEqual(complaints, []);
  } finally {
    await close();
  }
});
