import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { startRestartable } from '../client/support/restartable-service.ts'
import { chromiumPath, openBrowser } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath) console.warn('Chromium was not found, so the example for browsers is not tested.')

const example = Bun.file(new URL('../../examples/browser.html', import.meta.url))
const password = 'correct horse battery staple'

describe.skipIf(!executablePath)('the example for browsers', () => {
  let pages: Bun.Server<undefined>
  let service: Awaited<ReturnType<typeof startRestartable>>
  let browser: Browser

  beforeAll(async () => {
    pages = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(example) })
    service = await startRestartable({ CORS_ORIGINS: pages.url.origin })
    browser = await openBrowser(executablePath as string)
  })
  afterAll(async () => {
    await browser?.close()
    await service?.[Symbol.asyncDispose]()
    await pages?.stop(true)
  })

  /** Opens the page, registers, and sends a message. */
  async function openChat(username: string, message: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${pages.url.href}?server=${service.url}`)
    await page.fill('[name=username]', username)
    await page.fill('[name=password]', password)
    await send(page, message)
    return page
  }

  async function send(page: Page, message: string): Promise<void> {
    await page.fill('[name=message]', message)
    await page.click('button')
  }

  test('has at most 25 lines', async () => {
    expect((await example.text()).trimEnd().split('\n').length).toBeLessThanOrEqual(25)
  })

  test('registers, shows the history, and sends messages from one page to another', async () => {
    const alice = await openChat('alice', 'Hello, <b>Bob</b>!')
    await alice.getByText('alice: Hello, <b>Bob</b>!').waitFor()
    const bob = await openChat('bob', 'Hello, Alice!')
    for (const page of [alice, bob]) {
      await page.getByText('bob: Hello, Alice!').waitFor()
      expect(await page.locator('#messages li').allTextContents()).toEqual([
        'alice: Hello, <b>Bob</b>!',
        'bob: Hello, Alice!',
      ])
    }
  })

  test('shows why a login was refused', async () => {
    const page = await openChat('carol', 'first')
    await page.getByText('carol: first').waitFor()
    const other = await browser.newPage()
    await other.goto(`${pages.url.href}?server=${service.url}`)
    await other.fill('[name=username]', 'carol')
    await other.fill('[name=password]', 'not the password')
    await other.click('button')
    await other.getByText('No user has this username and this password.').waitFor()
    await other.close()
  })

  test('resumes after a restart and after a reload', async () => {
    const page = await openChat('dora', 'before')
    await page.getByText('dora: before').waitFor()
    await service.kill()
    await send(page, 'written while the service is away')
    await service.start()
    await page.getByText('dora: written while the service is away').waitFor()
    await page.reload()
    await page.getByText('dora: written while the service is away').waitFor()
    await send(page, 'after the reload')
    await page.getByText('dora: after the reload').waitFor()
    expect((await page.locator('#messages li').allTextContents()).slice(-3)).toEqual([
      'dora: before',
      'dora: written while the service is away',
      'dora: after the reload',
    ])
  })
})
