// A browser, and pages that report everything that is said on their consoles.

import { mkdir } from 'node:fs/promises';
import assert from 'node:assert/strict';

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const variable = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test browser\``);
  return value;
};

export const GATEWAY = variable('E2E_BARE_URL');
export const DASHBOARD = variable('E2E_BARE_ADMIN_URL');
/** The login link as the gateway printed it. */
export const LOGIN = variable('E2E_BARE_LOGIN');
export const TOKEN = new URL(LOGIN).searchParams.get('token');
const SCREENSHOTS = variable('E2E_SCREENSHOTS');

export const launch = () =>
  chromium.launch({
    executablePath: variable('E2E_CHROMIUM'),
    // Root, as in CI, has no sandbox to use; everything that is opened is our own.
    args: ['--no-sandbox', '--force-color-profile=srgb'],
  });

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

/** A page, and what was wrong on it: console messages, exceptions, failed requests. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error}`));
  page.on('response', (response) => {
    if (response.status() >= 500) complaints.push(`${response.status()} ${response.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** Waits until the page is alive in the browser. */
export async function alive(page) {
  await page.getByRole('button', { name: /^(Live|Paused)$/ }).and(page.locator(':enabled')).waitFor();
}

/** The large figure of a tile. */
export const figure = (page, label) =>
  page
    .locator('section', { has: page.getByRole('heading', { name: label, exact: true }) })
    .locator('.figure')
    .first();

export const count = async (page, label) =>
  Number((await figure(page, label).textContent()).replace(/[^0-9]/g, ''));

/** Chat requests to the gateway, some of them streamed. */
export async function talk(times) {
  for (let index = 0; index < times; index++) {
    const reply = await fetch(`${GATEWAY}/v1/chat/completions`, {
      method: 'POST',
      // An answer from the cache has no tokens of its own.
      headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
      body: JSON.stringify({
        model: index % 3 ? 'gpt-4o' : 'gpt-4o-mini',
        stream: index % 2 === 1,
        messages: [{ role: 'user', content: `Say hello ${index}` }],
      }),
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(reply.status, 200);
    await reply.text();
  }
}

/** axe finds nothing, nothing sticks out to the side, and a picture is kept. */
export async function looksRight(page, name) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
  );
  assert.deepEqual(found, [], `axe on ${name}`);
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(content <= window, `${name} is ${content} px wide in a window of ${window} px`);
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
}
