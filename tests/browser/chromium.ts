import type { Browser, Page } from 'playwright-core'

export { chromiumPath, openBrowser } from '../fixtures/browser.ts'

export interface Observations {
  /** Console errors, uncaught errors, failed requests, and violations of the content security policy. */
  complaints: string[]
  /** Requests to other origins than that of the page. */
  foreignRequests: string[]
}

/** Opens a page and records its complaints and its requests to other origins. */
export async function openObservedPage(
  browser: Browser,
  origin: string,
): Promise<{ page: Page } & Observations> {
  const page = await browser.newPage()
  const complaints: string[] = []
  const foreignRequests: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.origin !== origin) foreignRequests.push(request.url())
  })
  await page.exposeFunction('reportViolation', (violation: string) => complaints.push(violation))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      const { reportViolation } = window as unknown as { reportViolation(violation: string): void }
      reportViolation(`${violatedDirective}: ${blockedURI}`)
    })
  })
  return { page, complaints, foreignRequests }
}
