import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { version } from '../../package.json'
import openapiDocument from '../../spec/openapi.yaml'
import { type LiveService, serviceUnderTest } from '../examples/live-service.ts'
import { chromiumPath, openBrowser, openObservedPage } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath)
  console.warn('No Chromium: the docs page is not opened. Install it, or name it in CHROMIUM_PATH.')

const openapi = openapiDocument as unknown as {
  info: { title: string }
  paths: Record<string, Record<string, { operationId: string }>>
}
const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

describe.skipIf(!executablePath)('the docs page in a browser', () => {
  let service: LiveService
  let browser: Browser

  beforeAll(async () => {
    service = await serviceUnderTest()
    browser = await openBrowser(executablePath as string)
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })

  /** Opens the docs page, and waits until it has shown the document. */
  async function openDocsPage() {
    const opened = await openObservedPage(browser, service.url)
    const response = await opened.page.goto(`${service.url}/swagger`)
    await opened.page.waitForSelector('.opblock')
    return { ...opened, response }
  }

  test('opens without a complaint, under a policy that allows only this server', async () => {
    const { page, response, complaints, foreignRequests } = await openDocsPage()
    await page.waitForLoadState('networkidle')
    const policy = response?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(complaints).toEqual([])
    expect(foreignRequests).toEqual([])
    await page.close()
  })

  test('the policy is in force: a script from elsewhere is refused, and the refusal is noticed', async () => {
    const { page, complaints } = await openDocsPage()
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.src = 'http://127.0.0.1:9/elsewhere.js'
      document.body.append(script)
    })
    await page.waitForTimeout(200)
    expect(complaints.join('\n')).toContain('script-src-elem: http://127.0.0.1:9/elsewhere.js')
    await page.close()
  })

  test('shows every operation of the document, and no other', async () => {
    const { page } = await openDocsPage()
    const shown = await page.$$eval('.opblock', (blocks) =>
      blocks.map((block) => {
        const text = (selector: string) =>
          block.querySelector(selector)?.textContent?.replaceAll('\u200b', '') ?? ''
        return `${text('.opblock-summary-method')} ${text('.opblock-summary-path')}`
      }),
    )
    expect(shown.toSorted()).toEqual(operations.toSorted())
    await page.close()
  })

  test('shows the title, the version and what changed in it', async () => {
    const { page } = await openDocsPage()
    expect(await page.textContent('.info .title')).toContain(openapi.info.title)
    expect(await page.textContent('.info .version')).toContain(version)
    expect(await page.textContent('#changelog')).toContain(`[${version}]`)
    await page.close()
  })

  test('tries a request on the server that the page came from', async () => {
    const { page, complaints, foreignRequests } = await openDocsPage()
    const registration = page.locator('.opblock', { hasText: '/api/auth/register' })
    await registration.locator('.opblock-summary-control').click()
    await registration.getByRole('button', { name: 'Try it out' }).click()
    const username = `reader-${crypto.randomUUID().slice(0, 18)}`
    await registration
      .locator('textarea.body-param__text')
      .fill(JSON.stringify({ username, password: 'correct horse battery staple' }))
    await registration.getByRole('button', { name: 'Execute' }).click()
    const answer = registration.locator('.live-responses-table')
    await answer.waitFor()
    expect(await answer.locator('.response-col_status').first().textContent()).toContain('201')
    expect(await answer.textContent()).toContain(username)
    expect({ complaints, foreignRequests }).toEqual({ complaints: [], foreignRequests: [] })
    await page.close()
  })
})
