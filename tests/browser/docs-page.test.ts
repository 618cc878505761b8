import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, Locator, Page } from 'playwright-core'
import { version } from '../../package.json'
import openapiDocument from '../../spec/openapi.yaml'
import { type LiveService, serviceUnderTest } from '../examples/live-service.ts'
import { chromiumPath, openBrowser, openObservedPage } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath)
  console.warn('Chromium was not found, so the Swagger page is not tested. Install it, or set CHROMIUM_PATH.')

const openapi = openapiDocument as unknown as {
  info: { title: string }
  paths: Record<string, Record<string, { operationId: string }>>
}
const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

describe.skipIf(!executablePath)('the Swagger page in a browser', () => {
  let service: LiveService
  let browser: Browser
  let docs: Awaited<ReturnType<typeof openDocsPage>>

  beforeAll(async () => {
    service = await serviceUnderTest()
    browser = await openBrowser(executablePath as string)
    docs = await openDocsPage()
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })

  /** Opens the Swagger page, and waits until it shows the document and all requests are complete. */
  async function openDocsPage() {
    const opened = await openObservedPage(browser, service.url)
    const response = await opened.page.goto(`${service.url}/swagger`)
    await opened.page.waitForSelector('.opblock')
    await opened.page.waitForLoadState('networkidle')
    return { ...opened, response }
  }

  test('opens without errors under a content security policy that allows only this server', () => {
    const policy = docs.response?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(docs.complaints).toEqual([])
    expect(docs.foreignRequests).toEqual([])
  })

  test('shows exactly the operations of the document', async () => {
    const shown = await docs.page.$$eval('.opblock', (blocks) =>
      blocks.map((block) => {
        const text = (selector: string) =>
          block.querySelector(selector)?.textContent?.replaceAll('\u200b', '') ?? ''
        return `${text('.opblock-summary-method')} ${text('.opblock-summary-path')}`
      }),
    )
    expect(shown.toSorted()).toEqual(operations.toSorted())
  })

  test('shows the title, the version and its changes', async () => {
    expect(await docs.page.textContent('.info .title')).toContain(openapi.info.title)
    expect(await docs.page.textContent('.info .version')).toContain(version)
    expect(await docs.page.textContent('#changelog')).toContain(`[${version}]`)
  })

  test('refuses a script from another origin, and the recorded complaints contain the violation', async () => {
    const { page, complaints } = await openDocsPage()
    await page.evaluate(
      () =>
        new Promise((refused) => {
          const script = document.createElement('script')
          script.src = 'http://127.0.0.1:9/elsewhere.js'
          script.onerror = refused
          document.body.append(script)
        }),
    )
    expect(complaints.join('\n')).toContain('script-src-elem: http://127.0.0.1:9/elsewhere.js')
    await page.close()
  })

  /** Opens an operation, and fills in the documented request as a reader does. */
  async function tryOut(page: Page, path: string, method = 'post'): Promise<Locator> {
    const operation = page.locator(`.opblock-${method}`, { hasText: path }).first()
    await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Try it out' }).click()
    return operation
  }

  /** Presses "Execute", and returns the status and the body of the response. */
  async function execute(page: Page, operation: Locator): Promise<{ status: string; body: string }> {
    const [response] = await Promise.all([
      page.waitForResponse((each) => each.url().includes('/api/')),
      operation.getByRole('button', { name: 'Execute' }).click(),
    ])
    const requestId = (await response.allHeaders())['x-request-id'] as string
    const shown = operation.locator('.live-responses-table', { hasText: requestId })
    await shown.waitFor()
    const status = await shown.locator('tr.response .response-col_status').textContent()
    return { status: status?.trim().slice(0, 3) ?? '', body: await response.text() }
  }

  async function authorize(page: Page, token: string): Promise<void> {
    await page.locator('.auth-wrapper .authorize').first().click()
    const dialog = page.locator('.modal-ux')
    await dialog.locator('input').fill(token)
    await dialog.getByRole('button', { name: 'Apply credentials' }).click()
    await dialog.getByRole('button', { name: 'Close', exact: true }).click()
  }

  test('a reader registers twice, logs in, authorizes and sends twice without editing an example', async () => {
    const { page, complaints, foreignRequests } = await openDocsPage()
    const registration = await tryOut(page, '/api/auth/register')
    const first = await execute(page, registration)
    const second = await execute(page, registration)
    expect([first.status, second.status]).toEqual(['201', '201'])
    expect(JSON.parse(first.body).user.username).not.toBe(JSON.parse(second.body).user.username)

    const login = await execute(page, await tryOut(page, '/api/auth/login'))
    expect(login.status).toBe('200')
    await authorize(page, JSON.parse(login.body).token)

    const send = await tryOut(page, '/api/chats/send')
    expect((await execute(page, send)).status).toBe('200')
    await send.locator('textarea.body-param__text').fill('{"message":"Another message"}')
    expect((await execute(page, send)).status).toBe('200')

    await page.reload()
    await page.waitForSelector('.opblock')
    const profile = await execute(page, await tryOut(page, '/api/users/profile', 'get'))
    expect(profile.status).toBe('200')
    expect(profile.body).toContain(JSON.parse(first.body).user.username)
    expect({ complaints, foreignRequests }).toEqual({ complaints: [], foreignRequests: [] })
    await page.close()
  })

  test('lists only the server that the page came from', async () => {
    expect(
      await docs.page.$$eval('.servers option', (options) =>
        options.map((option) => option.getAttribute('value')),
      ),
    ).toEqual([service.url])
  })

  test('follows the color scheme of the system, also when it changes', async () => {
    const { page } = await openDocsPage()
    for (const [colorScheme, background] of [
      ['dark', 'rgb(28, 32, 34)'],
      ['light', 'rgb(250, 250, 250)'],
    ] as const) {
      await page.emulateMedia({ colorScheme })
      await page.waitForFunction(
        ([dark, expected]) =>
          document.documentElement.classList.contains('dark-mode') === dark &&
          getComputedStyle(document.body).backgroundColor === expected,
        [colorScheme === 'dark', background] as const,
      )
    }
    await page.close()
  })

  test('the links of the changelog lead to the sections that they name', async () => {
    const { page } = await openDocsPage()
    const links = await page.$$eval('#changelog a', (anchors) =>
      anchors.map((anchor) => (anchor as HTMLAnchorElement).href),
    )
    const own = links.filter((link) => link.startsWith(service.url))
    expect(own.some((link) => link.includes('#'))).toBe(true)
    for (const link of own) {
      // From another page, so that a link to a section of the same page loads it again.
      await page.goto('about:blank')
      expect([link, (await page.goto(link))?.status()]).toEqual([link, 200])
      const { hash } = new URL(link)
      if (hash) expect([link, await page.locator(hash).count()]).toEqual([link, 1])
    }
    await page.close()
  })

  test.each(['openapi.yaml', 'asyncapi.yaml'])('%s opens in the browser', async (name) => {
    const page = await browser.newPage()
    await page.goto(`${service.url}/${name}`)
    expect(await page.textContent('body')).toContain('schemas:')
    await page.close()
  })
})
