import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { type LiveService, startService } from '../examples/live-service.ts'
import { chromiumPath, openBrowser, openObservedPage } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath) console.warn('Chromium was not found, so the try-it page is not tested.')

// Every test logs in twice, more often than the documented quota allows.
const development = { NODE_ENV: 'development', RATE_LIMIT_LOGIN: '1000/60' }

/** Waits until both people are connected and have greeted each other, and returns their panes. */
async function greeted(page: Page): Promise<[ada: Locator, bob: Locator]> {
  const panes = page.locator('.pane')
  const [ada, bob] = [panes.nth(0), panes.nth(1)]
  for (const pane of [ada, bob]) await pane.getByText('Hello, Ada!').waitFor()
  return [ada, bob]
}

async function startChat(page: Page): Promise<[ada: Locator, bob: Locator]> {
  await page.getByRole('button', { name: 'Make two accounts and connect' }).click()
  return greeted(page)
}

async function write(pane: Locator, text: string): Promise<void> {
  await pane.getByRole('textbox', { name: 'Message of' }).fill(text)
  await pane.getByRole('button', { name: 'Send', exact: true }).click()
}

/** The texts of the confirmed messages that a pane shows. */
const messagesOf = (pane: Locator) => pane.locator('.messages li:not(.pending) > span').allTextContents()

const isState = (pane: Locator, text: string) => pane.getByText(text, { exact: true }).waitFor()

describe.skipIf(!executablePath)('the try-it page in a browser', () => {
  let service: LiveService
  let browser: Browser

  beforeAll(async () => {
    service = await startService({ environment: development })
    browser = await openBrowser(executablePath as string)
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })

  async function openTryPage(url = service.url) {
    const opened = await openObservedPage(browser, url)
    const response = await opened.page.goto(`${url}/`)
    return { ...opened, response }
  }

  test('two people talk, under a policy that allows only scripts of this server', async () => {
    const { page, response, complaints, foreignRequests } = await openTryPage()
    const policy = response?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('unsafe')

    const [ada, bob] = await startChat(page)
    await write(bob, 'How are you, <b>Ada</b>?')
    for (const pane of [ada, bob]) {
      await pane.getByText('How are you, <b>Ada</b>?').waitFor()
      expect(await messagesOf(pane)).toEqual(['Hello, world!', 'Hello, Ada!', 'How are you, <b>Ada</b>?'])
    }
    expect({ complaints, foreignRequests }).toEqual({ complaints: [], foreignRequests: [] })
    await page.close()
  })

  test('it works with the keyboard alone', async () => {
    const { page } = await openTryPage()
    const focusIs = (name: string) =>
      page.evaluate((expected) => {
        const focused = document.activeElement
        return focused?.getAttribute('aria-label')?.includes(expected) || focused?.textContent === expected
      }, name)
    async function tabTo(name: string): Promise<void> {
      for (let presses = 0; presses < 20; presses++) {
        await page.keyboard.press('Tab')
        if (await focusIs(name)) return
      }
      throw new Error(`Tab does not reach "${name}"`)
    }
    await tabTo('Make two accounts and connect')
    await page.keyboard.press('Enter')
    const [, bob] = await greeted(page)
    await tabTo('Message of ada')
    await page.keyboard.type('Without a mouse')
    await page.keyboard.press('Enter')
    await bob.getByText('Without a mouse').waitFor()
    await page.close()
  })

  test('a cut connection heals, and the messages of both sides arrive once and in the same order', async () => {
    const { page, complaints } = await openTryPage()
    const [ada, bob] = await startChat(page)
    await bob.getByRole('button', { name: 'Cut the connection' }).click()
    await isState(bob, 'disconnected')
    expect(await bob.getByRole('button', { name: 'Send a bad frame' }).isDisabled()).toBe(true)
    await write(ada, 'Bob, are you there?')
    await ada.getByText('Bob, are you there?').waitFor()
    await write(bob, 'Written while cut off')
    expect(await bob.locator('.pending').textContent()).toContain('Written while cut off')

    await bob.locator('.missed', { hasText: 'Bob, are you there?' }).waitFor()
    await ada.getByText('Written while cut off').waitFor()
    await isState(bob, 'connected')
    await bob.locator('.pending').waitFor({ state: 'detached' })
    const messages = ['Hello, world!', 'Hello, Ada!', 'Bob, are you there?', 'Written while cut off']
    for (const pane of [ada, bob]) expect(await messagesOf(pane)).toEqual(messages)
    expect(complaints).toEqual([])
    await page.close()
  })

  test('rooms are created, joined, written to and left, and the other room keeps its messages', async () => {
    const { page, complaints } = await openTryPage()
    const [ada, bob] = await startChat(page)
    const shown = (pane: Locator) => pane.locator('.messages li:visible > span').allTextContents()
    const name = `Reading club ${crypto.randomUUID()}`
    await ada.getByText('Create, join or leave a room').click()
    await ada.getByLabel('Name of a new room').fill(name)
    await ada.getByRole('button', { name: 'Create' }).click()
    await ada.locator('.room option:checked', { hasText: name }).waitFor({ state: 'attached' })
    await write(ada, 'Before Bob')

    await bob.getByText('Create, join or leave a room').click()
    await bob.locator('.join option', { hasText: name }).waitFor({ state: 'attached' })
    await bob.getByLabel('Public room for bob').selectOption({ label: name })
    await bob.getByRole('button', { name: 'Join' }).click()
    await bob.locator('.room option:checked', { hasText: name }).waitFor({ state: 'attached' })
    await ada.locator('.note:visible', { hasText: /^bob-.* joined/ }).waitFor()
    await write(bob, 'Which book?')
    await ada.getByText('Which book?').waitFor()
    expect(await shown(ada)).toEqual(['Before Bob', 'Which book?'])

    await ada.getByLabel('Room that ada').selectOption({ label: 'Everyone' })
    expect(await shown(ada)).toEqual(['Hello, world!', 'Hello, Ada!'])
    await write(bob, 'Are you there?')
    await ada.locator('.room option', { hasText: `${name} (1 new)` }).waitFor({ state: 'attached' })

    await bob.getByRole('button', { name: 'Leave this room' }).click()
    await bob.locator('.room option:checked', { hasText: 'Everyone' }).waitFor({ state: 'attached' })
    expect(await bob.locator('.room option').allTextContents()).toEqual(['Everyone'])
    expect(await shown(bob)).toEqual(['Hello, world!', 'Hello, Ada!'])

    await bob.getByRole('button', { name: 'Message the other person directly' }).click()
    await bob.locator('.room option:checked', { hasText: 'ada-' }).waitFor({ state: 'attached' })
    await write(bob, 'Only for you')
    const direct = ada.locator('.room option', { hasText: 'bob-' })
    await direct.waitFor({ state: 'attached' })
    await ada.getByLabel('Room that ada').selectOption((await direct.getAttribute('value')) ?? '')
    await ada.getByText('Only for you').waitFor()
    expect(complaints).toEqual([])
    await page.close()
  })

  test('a burst arrives completely and in order', async () => {
    const { page } = await openTryPage()
    const [ada, bob] = await startChat(page)
    await ada.getByRole('button', { name: 'Send 10 at once' }).click()
    for (const pane of [ada, bob]) {
      await pane.getByText('10 of 10').waitFor()
      await pane.locator('.pending').first().waitFor({ state: 'detached' })
      expect((await messagesOf(pane)).slice(2)).toEqual(
        Array.from({ length: 10 }, (_, index) => `${index + 1} of 10`),
      )
    }
    await page.close()
  })

  test('a bad frame is refused with its reason, and the connection stays open', async () => {
    const { page } = await openTryPage()
    const [ada, bob] = await startChat(page)
    await ada.getByRole('button', { name: 'Send a bad frame' }).click()
    await ada.getByText('Refused: validation-failed: /channel is not a known property').waitFor()
    await write(ada, 'Still here')
    await bob.getByText('Still here').waitFor()
    await page.close()
  })

  test('the wire log has every request and frame, without passwords and tokens', async () => {
    const { page } = await openTryPage()
    await startChat(page)
    const log = (await page.textContent('#wire')) ?? ''
    for (const part of [
      'POST /api/auth/register',
      '"password":"…"',
      '"token":"eyJ…"',
      'connects to /?after=',
      '"event":"caught-up"',
      '"message":"Hello, world!"',
    ]) {
      expect(log).toContain(part)
    }
    expect(log).not.toMatch(/eyJ\w/)
    await page.getByRole('button', { name: 'Clear' }).click()
    expect(await page.textContent('#wire')).toBe('')
    await page.close()
  })

  test('the command for the terminal works as it is shown, and the panes show its message', async () => {
    const { page } = await openTryPage()
    const [ada, bob] = await startChat(page)
    const command = (await page.textContent('#command-send')) ?? ''
    const curl = Bun.spawn(['bash', '-c', command], { stdout: 'pipe', stderr: 'ignore', stdin: 'ignore' })
    expect(await new Response(curl.stdout).json()).toEqual({ message: 'Message sent successfully' })
    for (const pane of [ada, bob]) await pane.getByText('Hello from a terminal!').waitFor()
    expect(await page.textContent('#command-listen')).toContain(service.url.replace('http', 'ws'))
    await page.close()
  })

  test('a message that is sent while the server restarts arrives afterwards, once for each person', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-try-'))
    const environment = { ...development, DATA_DIR: folder }
    const first = await startService({ environment })
    const { page } = await openTryPage(first.url)
    const [ada, bob] = await startChat(page)
    expect(await first.stop()).toBe(0)
    await isState(ada, 'disconnected')
    await write(ada, 'Sent without a server')
    await isState(bob, 'disconnected')
    await write(bob, 'I as well')

    const { port } = new URL(first.url)
    const second = await startService({ environment: { ...environment, PORT: port } })
    for (const pane of [ada, bob]) {
      await pane.locator('li:not(.pending)', { hasText: 'Sent without a server' }).waitFor()
      await pane.locator('li:not(.pending)', { hasText: 'I as well' }).waitFor()
      await isState(pane, 'connected')
    }
    const [seenByAda, seenByBob] = [await messagesOf(ada), await messagesOf(bob)]
    expect(seenByAda.toSorted()).toEqual(
      ['Hello, world!', 'Hello, Ada!', 'Sent without a server', 'I as well'].toSorted(),
    )
    expect(seenByBob).toEqual(seenByAda)
    await page.close()
    await second.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('a failure is shown, and the button works again afterwards', async () => {
    const limited = await startService({ environment: { ...development, RATE_LIMIT_REGISTER: '1/600' } })
    const { page } = await openTryPage(limited.url)
    await page.getByRole('button', { name: 'Make two accounts and connect' }).click()
    await page.getByRole('alert').getByText('rate-limit-exceeded').waitFor()
    await page.locator('#start:enabled').waitFor()
    await page.close()
    await limited.stop()
  })

  test('in production, / is a plain page, unless TRY_PAGE is on', async () => {
    const [plain, enabled] = await Promise.all([
      startService(),
      startService({ environment: { TRY_PAGE: 'on' } }),
    ])
    const page = await openTryPage(plain.url)
    expect(await page.page.locator('#start, script').count()).toBe(0)
    expect(await page.page.getByRole('link', { name: '/websocket' }).count()).toBe(1)
    expect(page.complaints).toEqual([])
    const withTry = await openTryPage(enabled.url)
    await startChat(withTry.page)
    await Promise.all([page.page.close(), withTry.page.close()])
    await Promise.all([plain.stop(), enabled.stop()])
  })
})
