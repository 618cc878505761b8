import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { type LiveService, startService } from '../examples/live-service.ts'
import { chromiumPath, openBrowser } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath) console.warn('Chromium was not found, so the example for browsers is not tested.')

const password = 'correct horse battery staple'

describe.skipIf(!executablePath)('the example for browsers', () => {
  let pages: Bun.Server<undefined>
  let service: LiveService
  let browser: Browser

  beforeAll(async () => {
    pages = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response(Bun.file(new URL('../../examples/browser.html', import.meta.url))),
    })
    service = await startService({ environment: { CORS_ORIGINS: pages.url.origin } })
    browser = await openBrowser(executablePath as string)
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
    await pages?.stop(true)
  })

  /** Registers a user and logs in on a page of another origin. */
  async function openChat(username: string): Promise<Page> {
    await fetch(`${service.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    const page = await browser.newPage()
    await page.goto(pages.url.href)
    await page.fill('[name=server]', service.url)
    await page.fill('[name=username]', username)
    await page.fill('[name=password]', password)
    await page.click('#login button')
    return page
  }

  test('sends a message from one page to another', async () => {
    const [alice, bob] = await Promise.all([openChat('alice'), openChat('bob')])
    for (const page of [alice, bob]) await page.getByText('Connected.', { exact: true }).waitFor()
    await alice.fill('[name=message]', 'Hello, <b>Bob</b>!')
    await alice.click('#send button')
    for (const page of [alice, bob]) {
      await page.getByText('alice: Hello, <b>Bob</b>!').waitFor()
      expect(await page.locator('#messages li').allTextContents()).toEqual(['alice: Hello, <b>Bob</b>!'])
    }
  })

  test('shows why a login was refused', async () => {
    const page = await openChat('carol')
    await page.getByText('Connected.', { exact: true }).waitFor()
    await page.fill('[name=password]', 'not the password')
    await page.click('#login button')
    await page.getByText('No user has this username and this password.').waitFor()
  })

  test('stops and shows the reason if the token expires while the service is away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-browser-'))
    const environment = { CORS_ORIGINS: pages.url.origin, TOKEN_TTL_SECONDS: '2', DATA_DIR: folder }
    const first = await startService({ environment })
    const { port } = new URL(first.url)
    await fetch(`${first.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'dora', password }),
    })
    const page = await browser.newPage()
    let attempts = 0
    page.on('websocket', () => attempts++)
    await page.goto(pages.url.href)
    for (const [name, value] of [
      ['server', first.url],
      ['username', 'dora'],
      ['password', password],
    ] as const) {
      await page.fill(`[name=${name}]`, value)
    }
    await page.click('#login button')
    await page.getByText('Connected.', { exact: true }).waitFor()
    await first.stop()
    // Longer than the token is valid.
    await Bun.sleep(3000)
    const second = await startService({ environment: { ...environment, PORT: port } })
    await page.getByText('Closed: 3000 invalid-token').waitFor()
    const attemptsUntilThen = attempts
    await Bun.sleep(4000)
    expect(attempts).toBe(attemptsUntilThen)
    await second.stop()
    rmSync(folder, { recursive: true, force: true })
  })
})
