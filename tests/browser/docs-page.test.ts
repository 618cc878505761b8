import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
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

  test('sends a request to the server that the page came from', async () => {
    const { page, complaints, foreignRequests } = await openDocsPage()
    const registration = page.locator('.opblock', { hasText: '/api/auth/register' })
    await registration.locator('.opblock-summary-control').click()
    await registration.getByRole('button', { name: 'Try it out' }).click()
    const username = `reader-${crypto.randomUUID().slice(0, 18)}`
    await registration
      .locator('textarea.body-param__text')
      .fill(JSON.stringify({ username, password: 'correct horse battery staple' }))
    await registration.getByRole('button', { name: 'Execute' }).click()
    const response = registration.locator('.live-responses-table')
    await response.waitFor()
    expect(await response.locator('tr.response .response-col_status').textContent()).toContain('201')
    expect(await response.textContent()).toContain(username)
    expect({ complaints, foreignRequests }).toEqual({ complaints: [], foreignRequests: [] })
    await page.close()
  })
})
