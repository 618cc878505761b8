import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { type LiveService, startService } from '../examples/live-service.ts'
import { chromiumPath, openBrowser } from './chromium.ts'

const executablePath = chromiumPath()
if (!executablePath) console.warn('Chromium was not found, so the accessibility of the pages is not tested.')

const guidesIn = (folder: string, prefix: string) =>
  readdirSync(new URL(`../../${folder}`, import.meta.url))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `/guides/${prefix}${file.replace('.md', '')}`)
const guides = [...guidesIn('docs/', ''), '/guides/client', ...guidesIn('client/docs/', 'client-')]
const paths = ['/', '/websocket', '/problems', '/problems/not-found', ...guides]
const axe = await Bun.file(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url)).text()

/** The violations that axe-core finds, each with its first element. Evaluated, because the policy forbids scripts. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  )
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.length} times, ${nodes[0]?.html})`)
}

describe.skipIf(!executablePath)('the pages', () => {
  let service: LiveService
  let browser: Browser

  beforeAll(async () => {
    service = await startService({ environment: { NODE_ENV: 'development' } })
    browser = await openBrowser(executablePath as string)
  })
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test.each(paths)(`%s has no violation of axe-core with ${colorScheme} colors`, async (path) => {
      const page = await browser.newPage({ colorScheme })
      await page.goto(service.url + path)
      expect(await violationsOf(page)).toEqual([])
      await page.close()
    })

    test(`a running chat has no violation of axe-core with ${colorScheme} colors`, async () => {
      const page = await browser.newPage({ colorScheme })
      await page.goto(service.url)
      await page.click('#start')
      await page.locator('.pane').nth(1).getByText('Hello, Ada!').waitFor()
      const bob = page.locator('.pane').nth(1)
      await page.locator('.pane details summary').first().click()
      await page.locator('.bad').first().click()
      await page.locator('.refused').waitFor()
      await bob.locator('.cut').click()
      await bob.getByText('disconnected').waitFor()
      await bob.getByRole('textbox').fill('Pending')
      await bob.getByRole('button', { name: 'Send', exact: true }).click()
      expect(await violationsOf(page)).toEqual([])
      await page.locator('[data-state=open]').nth(1).waitFor()
      await page.close()
    })
  }

  test.each([...paths, '/swagger'])('%s fits the width of a phone', async (path) => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
    await page.goto(service.url + path)
    if (path === '/') {
      await page.click('#start')
      await page.locator('.pane').nth(1).getByText('Hello, Ada!').waitFor()
      for (const summary of await page.locator('.pane details summary').all()) await summary.click()
    }
    if (path === '/swagger') await page.waitForSelector('.opblock')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    await page.close()
  })

  test('axe-core detects a violation on a page, so that an empty list means something', async () => {
    const page = await browser.newPage()
    await page.goto(service.url)
    await page.evaluate(() => document.body.append(document.createElement('input')))
    expect((await violationsOf(page)).join('\n')).toContain('label:')
    await page.close()
  })
})
