// What somebody sees who may look and not change: everything there is, and no button that would be refused.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { NARROW, WIDE, launch, looksRight, open } from './setup.js';

const variable = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test browser\``);
  return value;
};
const DASHBOARD = variable('E2E_POLICED_ADMIN_URL');
const TOKEN = variable('E2E_POLICED_TOKEN');
const VIEWER = 'vera';
const PASSWORD = 'correct horse battery';

const bounded = { timeout: 90_000 };
const PAGES = ['/system-prompt', '/guardrails', '/limits', '/limits?view=budgets', '/cache', '/keys', '/keys?view=projects'];

const admin = (method, path, body) =>
  fetch(`${DASHBOARD}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });

let browser;
before(async () => {
  browser = await launch();
  const viewer = await admin('PUT', `users/${VIEWER}`, { role: 'viewer', password: PASSWORD });
  assert.ok(viewer.ok, `${viewer.status}`);
  const rule = { check: { kind: 'phrases', phrases: ['never said'] }, action: { kind: 'flag' } };
  assert.ok((await admin('PUT', 'guardrails/for-viewers', rule)).ok);
  // A version that others could restore.
  assert.ok((await admin('PUT', 'guardrails/for-viewers', { ...rule, enabled: false })).ok);
}, bounded);
after(async () => {
  await admin('DELETE', 'guardrails/for-viewers');
  await admin('DELETE', `users/${VIEWER}`);
  await browser?.close();
}, bounded);

async function logIn(page) {
  await page.goto(`${DASHBOARD}/login`);
  await page.getByLabel('Name', { exact: true }).fill(VIEWER);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(`${DASHBOARD}/`);
}

/** Forms that would change something. */
const offers = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('form[method="post"]')]
      .map((form) => new URL(form.action).pathname)
      .filter((path) => path !== '/logout' && !path.startsWith('/ui/api/theme')),
  );

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with a script' : 'without a script';

  test(`a viewer is offered nothing that would be refused, ${how}`, bounded, async () => {
    const { page, complaints, close } = await open(browser, { javaScriptEnabled });
    const visit = async (path) => {
      await page.goto(DASHBOARD + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      if (javaScriptEnabled) await page.locator('.frame[data-awake]').waitFor();
      await page.getByText('Your role is viewer').waitFor();
    };
    try {
      await logIn(page);
      for (const path of PAGES) {
        await visit(path);
        if (javaScriptEnabled) assert.deepEqual(await offers(page), [], path);
        assert.equal(await page.getByRole('link', { name: /^New / }).count(), 0, path);
        for (const name of [/^Save$/, /^Clear/, /^Forget/, /^Disable/, /^Test$/])
          assert.equal(await page.getByRole('button', { name }).count(), 0, `${name} on ${path}`);
      }
      await visit('/guardrails');
      await page.getByRole('link', { name: 'for-viewers', exact: true }).click();
      const phrases = page.getByLabel('Phrases', { exact: true });
      await phrases.waitFor();
      assert.equal(await phrases.inputValue(), 'never said');
      assert.equal(await phrases.isDisabled(), true);
      assert.equal(await page.getByRole('button', { name: /^Restore/ }).count(), 0);
      assert.equal(await page.getByText('Delete…', { exact: true }).count(), 0);
      // Whoever sends it all the same is refused.
      const refused = await page.request.post(`${DASHBOARD}/guardrails`, {
        form: { do: 'delete', kind: 'guardrail', name: 'for-viewers' },
        headers: { origin: DASHBOARD },
      });
      assert.equal(refused.status(), 403);
      assert.deepEqual(complaints, []);
    } finally {
      await close();
    }
  });
}

test('the pages of a viewer look right', bounded, async () => {
  for (const [colorScheme, viewport, size] of [
    ['light', WIDE, 'wide'],
    ['dark', WIDE, 'wide'],
    ['light', NARROW, 'narrow'],
  ]) {
    const { page, close } = await open(browser, { colorScheme, viewport });
    try {
      await logIn(page);
      for (const path of ['/guardrails', '/guardrails?edit=for-viewers', '/system-prompt', '/cache', '/keys']) {
        await page.goto(DASHBOARD + path);
        await page.locator('.frame[data-awake]').waitFor();
        await page.getByText('Your role is viewer').waitFor();
        await looksRight(page, `viewer${path.replace(/[^a-z]+/g, '-')}-${colorScheme}-${size}`);
      }
    } finally {
      await close();
    }
  }
});
