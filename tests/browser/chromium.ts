import { accessSync, constants } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** Where the browser is. One that is named in CHROMIUM_PATH has to be there. */
export function chromiumPath(): string | undefined {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    accessSync(named, constants.X_OK)
    return named
  }
  return Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome') ?? undefined
}

/** Starts a browser without a window that asks nothing of the network by itself. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export interface Observations {
  /** Errors on the console, uncaught ones, and violations of the content security policy. */
  complaints: string[]
  /** Requests to another host than the page's. */
  foreignRequests: string[]
}

/** Opens a page and notes all that it complains about and asks for from then on. */
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
