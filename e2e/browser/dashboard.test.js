// The dashboard as a person meets it: the printed link, the figures, the way out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  DASHBOARD,
  LOGIN,
  NARROW,
  TOKEN,
  WIDE,
  alive,
  count,
  figure,
  launch,
  looksRight,
  open,
  talk,
} from './setup.js';

const bounded = { timeout: 90_000 };
let browser;
before(async () => {
  browser = await launch();
  // So that there is something to see whichever test comes first.
  await talk(12);
}, bounded);
after(() => browser?.close(), bounded);

/** A test with a page of its own, on which nothing may be complained about. */
function onPage(name, options, body) {
  test(name, bounded, async () => {
    const { page, complaints, close } = await open(browser, options);
    try {
      await body(page);
      assert.deepEqual(complaints, []);
    } finally {
      await close();
    }
  });
}

async function overview(page, path = '/') {
  await page.goto(LOGIN);
  if (path !== '/') await page.goto(DASHBOARD + path);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
}

onPage('the printed link opens the overview', {}, async (page) => {
  await overview(page);
  const url = new URL(page.url());
  assert.equal(url.origin, new URL(DASHBOARD).origin);
  assert.equal(url.searchParams.get('token'), null, 'the token does not stay in the address');
  const [session] = (await page.context().cookies()).filter((cookie) => cookie.httpOnly);
  assert.equal(session.sameSite === 'Strict' || session.sameSite === 'Lax', true);
  assert.ok(!session.value.includes(TOKEN));
});

onPage('figures change without a reload', {}, async (page) => {
  await overview(page, '/?range=1h');
  await alive(page);
  await page.evaluate(() => {
    window.neverReloaded = true;
  });
  const requests = await count(page, 'Requests');
  const tokens = await figure(page, 'Tokens').textContent();
  await talk(9);
  await page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('section')].some(
        (section) =>
          section.querySelector('h2')?.textContent === 'Requests' &&
          Number(section.querySelector('.figure')?.textContent.replace(/[^0-9]/g, '')) >= wanted,
      ),
    requests + 9,
    { timeout: 20_000 },
  );
  assert.equal(await count(page, 'Requests'), requests + 9, 'each request counts once');
  assert.notEqual(await figure(page, 'Tokens').textContent(), tokens);
  assert.equal(await page.evaluate(() => window.neverReloaded), true);
});

onPage('the range is in the address', {}, async (page) => {
  await overview(page);
  await alive(page);
  await page.evaluate(() => {
    window.neverReloaded = true;
  });
  const ranges = page.getByRole('navigation', { name: 'Time range' });
  await ranges.getByRole('link', { name: '7d', exact: true }).click();
  await page.waitForURL('**/?range=7d');
  await ranges
    .getByRole('link', { name: '7d', exact: true })
    .and(page.locator('[aria-current=true]'))
    .waitFor();
  assert.equal(await page.evaluate(() => window.neverReloaded), true);
  await page.reload();
  assert.equal(
    await ranges.locator('[aria-current=true]').textContent(),
    '7d',
    'a link to a range opens that range',
  );
  await page.goBack();
  await page.waitForURL((url) => url.searchParams.get('range') !== '7d');
});

onPage('signing out ends the session', {}, async (page) => {
  await overview(page);
  await alive(page);
  const before = await page.context().cookies();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login*');
  await page.goto(DASHBOARD);
  await page.waitForURL('**/login*');
  // The cookie of before is worth nothing any more, wherever it was copied to.
  await page.context().addCookies(before);
  await page.goto(DASHBOARD);
  await page.waitForURL('**/login*');
});

onPage('a wrong token is refused', {}, async (page) => {
  await page.goto(`${DASHBOARD}/login`);
  await page.getByLabel('Admin token').fill('not-the-token');
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').textContent(), /not the admin token/i);
  await looksRight(page, 'login-refused');
  await page.getByLabel('Admin token').fill(TOKEN);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
});

test('a stranger sees nothing', bounded, async () => {
  for (const path of ['/', '/?range=24h', '/ui/api/overview', '/admin/stats']) {
    const reply = await fetch(DASHBOARD + path, { redirect: 'manual' });
    assert.ok([302, 303, 401, 404, 405].includes(reply.status), `${path}: ${reply.status}`);
    assert.doesNotMatch(await reply.text(), /Error rate/);
  }
});

for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of [
    ['1440', WIDE],
    ['390', NARROW],
  ]) {
    onPage(`looks right, ${colorScheme}, ${size}`, { colorScheme, viewport }, async (page) => {
      await page.goto(`${DASHBOARD}/login`);
      await page.getByLabel('Admin token').waitFor();
      await looksRight(page, `login-${colorScheme}-${size}`);
      await overview(page, '/?range=1h');
      await alive(page);
      await figure(page, 'Requests').waitFor();
      await looksRight(page, `overview-${colorScheme}-${size}`);
    });
  }
}

onPage('the theme can be chosen', { colorScheme: 'light' }, async (page) => {
  await overview(page);
  await alive(page);
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.reload();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
});

onPage('works without JavaScript', { javaScriptEnabled: false }, async (page) => {
  await page.goto(DASHBOARD);
  await page.getByLabel('Admin token').fill(TOKEN);
  await page.getByRole('button', { name: 'Use the token' }).click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  const requests = await count(page, 'Requests');
  assert.ok(requests >= 12, `${requests} requests`);
  await page.getByRole('link', { name: '24h', exact: true }).click();
  await page.waitForURL('**/?range=24h');
  assert.ok((await count(page, 'Requests')) >= requests);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login*');
});
