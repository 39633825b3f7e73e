// The overview's charts and controls, by pointer and by keyboard.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DASHBOARD, LOGIN, alive, count, figure, launch, looksRight, open, talk } from './setup.js';

const bounded = { timeout: 90_000 };
let browser;
before(async () => {
  browser = await launch();
  await talk(6);
}, bounded);
after(() => browser?.close(), bounded);

/** A test on the overview of the last hour, hydrated; nothing may be complained about. */
function onOverview(name, body) {
  test(name, bounded, async () => {
    const { page, complaints, close } = await open(browser);
    try {
      await page.goto(LOGIN);
      await page.goto(`${DASHBOARD}/?range=1h`);
      await alive(page);
      await figure(page, 'Requests').waitFor();
      await body(page);
      assert.deepEqual(complaints, []);
    } finally {
      await close();
    }
  });
}

onOverview('a chart tells its values by keyboard and by pointer', async (page) => {
  const plot = page.getByRole('slider', { name: 'Requests over time' });
  await plot.focus();
  await page.keyboard.press('End');
  const last = await plot.getAttribute('aria-valuetext');
  assert.match(last, /UTC, so far: Succeeded \d+, Cancelled \d+, Failed \d+$/);
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await plot.getAttribute('aria-valuetext'), last);
  await looksRight(page, 'overview-crosshair');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.tip').count(), 0);

  await plot.hover({ position: { x: 30, y: 30 } });
  await page.locator('.tip').waitFor();
});

onOverview('a chart has its data as a table', async (page) => {
  await page.getByText('Data table of Requests').click();
  const rows = page.getByRole('region', { name: 'Requests data' }).locator('tbody tr');
  assert.equal(await rows.count(), 60);
  const sums = await rows.evaluateAll((rows) =>
    rows.reduce((sum, row) => sum + [...row.cells].slice(1).reduce((s, cell) => s + Number(cell.textContent), 0), 0),
  );
  assert.equal(sums, await count(page, 'Requests'), 'the table adds up to the figure');
});

onOverview('paused figures stand still', async (page) => {
  await page.getByRole('button', { name: 'Live' }).click();
  const paused = page.getByRole('button', { name: 'Paused' });
  await paused.waitFor();
  const calls = [];
  page.on('request', (request) => calls.push(request.url()));
  await page.waitForTimeout(6_000);
  assert.deepEqual(calls, []);
  await paused.click();
  await page.waitForResponse((reply) => reply.url().includes('/ui/api/overview'));
});

onOverview('a row narrows the page to itself', async (page) => {
  const all = await count(page, 'Requests');
  const row = page.locator('section', { hasText: 'Top models' }).locator('tbody a').first();
  const name = await row.textContent();
  await row.click();
  await page.waitForURL((url) => url.searchParams.get('model') === name.trim());
  assert.ok((await count(page, 'Requests')) <= all);
  await page.getByRole('link', { name: `Remove the filter Model ${name.trim()}` }).click();
  await page.waitForURL((url) => !url.searchParams.has('model'));
});
