import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Chat, Client, createClient, webStore } from '../../client/src/index.ts'
import { newUser, password, startRestartable, until } from '../client/support/restartable-service.ts'
import { chromiumPath, openBrowser } from './chromium.ts'

interface Module {
  createClient: typeof createClient
  webStore: typeof webStore
}

interface TestPage {
  client: Client
  chat: Chat
  received: string[]
  states: string[]
}

const path = chromiumPath()
if (!path) throw new Error('These tests need Chromium, in the path or named by CHROMIUM_PATH')
let browser: Browser
/** Serves an empty page of another origin than the service. */
let pages: Bun.Server<undefined>

beforeAll(async () => {
  pages = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () =>
      new Response('<!doctype html><title>Test</title>', { headers: { 'content-type': 'text/html' } }),
  })
  browser = await openBrowser(path)
})
afterAll(async () => {
  await browser.close()
  await pages.stop(true)
})

/** A page of another origin that imports the client from the service, like a page without a bundler. */
async function openPage(service: { url: string }, context: BrowserContext, username: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(pages.url.href)
  await page.evaluate(
    async ({ url, username, password }) => {
      const module = (await import(`${url}/client.js`)) as Module
      const client = module.createClient(url, { store: module.webStore(localStorage) })
      await client.loginUser({ username, password })
      const chat = client.chat({ firstDelayMs: 50, maxDelayMs: 200, pingAfterMs: 500, pongTimeoutMs: 500 })
      const test: TestPage = { client, chat, received: [], states: [] }
      chat.on('message', ({ message }) => test.received.push(message))
      chat.on('state', ({ name }) => test.states.push(name))
      await chat.opened()
      Object.assign(window, { test })
    },
    { url: service.url, username, password },
  )
  return page
}

const stateOf = (page: Page) =>
  page.evaluate(() => (window as unknown as { test: TestPage }).test.chat.state.name)
const receivedBy = (page: Page) =>
  page.evaluate(() => (window as unknown as { test: TestPage }).test.received)
const send = (page: Page, text: string) =>
  page.evaluate(
    async (text) => (await (window as unknown as { test: TestPage }).test.chat.send(text)).message,
    text,
  )

/** A service that the test page may use, a user, and a browser context. */
async function start() {
  const service = await startRestartable({ CORS_ORIGINS: pages.url.origin })
  const { username, client } = await newUser(service.url)
  const context = await browser.newContext()
  return {
    service,
    username,
    client,
    context,
    async [Symbol.asyncDispose]() {
      await context.close()
      await service[Symbol.asyncDispose]()
    },
  }
}

test('messages that are sent while the browser is offline arrive when it is online again', async () => {
  await using started = await start()
  const { service, username, client, context } = started
  const page = await openPage(service, context, username)
  await context.setOffline(true)
  const sent = send(page, 'from the tunnel')
  await client.sendMessage({ message: 'to the tunnel' })
  await page.waitForFunction(() => (window as unknown as { test: TestPage }).test.states.includes('waiting'))
  await context.setOffline(false)
  expect(await sent).toBe('from the tunnel')
  await until(async () => (await receivedBy(page)).length === 2)
  expect(await receivedBy(page)).toEqual(['to the tunnel', 'from the tunnel'])
})

test('a server that is killed during sends loses and doubles nothing', async () => {
  await using started = await start()
  const { service, username, context } = started
  const page = await openPage(service, context, username)
  const texts = Array.from({ length: 40 }, (_, index) => `m${index}`)
  const sent = page.evaluate(async (texts) => {
    const { chat } = (window as unknown as { test: TestPage }).test
    const pending: Promise<{ message: string }>[] = []
    for (const text of texts) {
      pending.push(chat.send(text))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return (await Promise.all(pending)).map(({ message }) => message)
  }, texts)
  await service.kill()
  await service.start()
  expect(await sent).toEqual(texts)
  expect(await receivedBy(page)).toEqual(texts)
})

test('a page that is left disconnects, and continues when the user comes back', async () => {
  await using started = await start()
  const { service, username, client, context } = started
  const page = await openPage(service, context, username)
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })))
  expect(await stateOf(page)).toBe('paused')
  await client.sendMessage({ message: 'meanwhile' })
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
  await until(async () => (await receivedBy(page)).length === 1)
  expect(await receivedBy(page)).toEqual(['meanwhile'])
})

test('two tabs share one login, and receive the same messages', async () => {
  await using started = await start()
  const { service, username, context } = started
  const first = await openPage(service, context, username)
  const second = await context.newPage()
  await second.goto(pages.url.href)
  const shared = await second.evaluate(async (url) => {
    const module = (await import(`${url}/client.js`)) as Module
    // There is no login in this tab.
    const client = module.createClient(url, { store: module.webStore(localStorage) })
    const chat = client.chat()
    const test: TestPage = { client, chat, received: [], states: [] }
    chat.on('message', ({ message }) => test.received.push(message))
    Object.assign(window, { test })
    await chat.opened()
    return client.token
  }, service.url)
  expect(shared).toBe(await first.evaluate(() => (window as unknown as { test: TestPage }).test.client.token))
  const texts = ['one', 'two', 'three', 'four']
  for (const [index, text] of texts.entries()) await send(index % 2 === 0 ? first : second, text)
  for (const page of [first, second]) {
    await until(async () => (await receivedBy(page)).length === texts.length)
    expect(await receivedBy(page)).toEqual(texts)
  }
})
