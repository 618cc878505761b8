import { Elysia } from 'elysia'
import { openapi } from '../contract/documents.ts'
import { catalogue, type ProblemCode, ProblemError, problemPath, unavailable } from './problems.ts'

interface ServicePagesOptions {
  readonly isDraining: () => boolean
  readonly isReady: () => boolean
}

const style = `
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }
  code, dt { font-family: ui-monospace, monospace; } dd { margin: 0 0 1rem; }
  @media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } a { color: #8bf; } }
`
const styleHash = new Bun.CryptoHasher('sha256').update(style).digest('base64')
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`,
}

const page = (title: string, content: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${Bun.escapeHTML(title)}</title>
<style>${style}</style>
</head>
<body>
${content}
</body>
</html>
`

const { info } = openapi

/** What `GET /` shows to a person. */
export const landingPage = {
  headers: pageHeaders,
  text: page(
    info.title,
    `<h1>${Bun.escapeHTML(info.title)} ${Bun.escapeHTML(info.version)}</h1>
<p>${Bun.escapeHTML(info.summary)} This address is also the WebSocket.</p>
<dl>
${Object.entries(openapi['x-service-paths'])
  .filter(([path]) => path !== '/' && !path.includes('{'))
  .map(
    ([path, text]) =>
      `<dt><a href="${Bun.escapeHTML(path)}">${Bun.escapeHTML(path)}</a></dt><dd>${Bun.escapeHTML(text)}</dd>`,
  )
  .join('\n')}
</dl>`,
  ),
}

const wantsHtml = (request: Request) => (request.headers.get('accept') ?? '').includes('text/html')

const explanation = (code: string) => ({ type: problemPath(code), code, ...catalogue[code as ProblemCode] })

const problemPage = (code: ProblemCode) => {
  const { status, title, detail, when, action } = catalogue[code]
  return page(
    title,
    `<h1>${Bun.escapeHTML(title)}</h1>
<p><code>${Bun.escapeHTML(code)}</code>, status ${status}: ${Bun.escapeHTML(detail)}</p>
<h2>When it happens</h2><p>${Bun.escapeHTML(when)}</p>
<h2>What to do</h2><p>${Bun.escapeHTML(action)}</p>
<p><a href="/problems">All problem types</a></p>`,
  )
}

const problemsPage = () =>
  page(
    'Problem types',
    `<h1>Problem types</h1>
<dl>
${Object.entries(catalogue)
  .map(
    ([code, { status, title, when }]) =>
      `<dt>${status} <a href="${problemPath(code)}">${Bun.escapeHTML(code)}</a></dt><dd>${Bun.escapeHTML(title)}. ${Bun.escapeHTML(when)}</dd>`,
  )
  .join('\n')}
</dl>`,
  )

/** Health, and the pages that explain problems. */
export function servicePages({ isDraining, isReady }: ServicePagesOptions) {
  return new Elysia({ name: 'service-pages' })
    .get('/livez', () => ({ status: 'live' }))
    .get('/readyz', () => {
      if (isDraining()) throw unavailable('shutting-down')
      if (!isReady()) throw unavailable('storage-unavailable')
      return { status: 'ready' }
    })
    .get('/problems', ({ request, set }) => {
      set.headers.vary = 'Accept'
      if (!wantsHtml(request)) return { problems: Object.keys(catalogue).map(explanation) }
      Object.assign(set.headers, pageHeaders)
      return problemsPage()
    })
    .get('/problems/:code', ({ request, set, params: { code } }) => {
      if (!Object.hasOwn(catalogue, code)) throw new ProblemError('not-found')
      set.headers.vary = 'Accept'
      if (!wantsHtml(request)) return explanation(code)
      Object.assign(set.headers, pageHeaders)
      return problemPage(code as ProblemCode)
    })
}
