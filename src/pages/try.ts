import { Elysia } from 'elysia'
import { ProblemError } from '../contract/problems.ts'
import { serveContent } from './content.ts'
import { linkFrom } from './html.ts'
import style from './try/page.css' with { type: 'text' }

const assets = new Map([
  [
    'page.js',
    serveContent(async () => ({
      body: (await import('./try-script.ts')).script,
      type: 'text/javascript; charset=utf-8',
    })),
  ],
  ['page.css', serveContent(() => ({ body: style, type: 'text/css; charset=utf-8' }))],
])

/** What the head of the try-it page contains, and the sources that its content security policy allows. */
export const tryAssets = {
  head: `<link rel="stylesheet" href="${linkFrom('/', '/try/page.css')}">
<script type="module" src="${linkFrom('/', '/try/page.js')}"></script>`,
  styles: ["'self'"],
  // The WebSocket of the same origin counts as 'self'.
  sources: ["script-src 'self'", "connect-src 'self'"],
} as const

/** The script and the style sheet of the try-it page. */
export function tryPages() {
  const serveAsset = ({
    request,
    set,
    params,
  }: Parameters<ReturnType<typeof serveContent>>[0] & { params: { asset: string } }) => {
    const serve = assets.get(params.asset)
    if (!serve) throw new ProblemError('not-found')
    return serve({ request, set })
  }
  return new Elysia({ name: 'try-pages' }).get('/try/:asset', serveAsset).head('/try/:asset', serveAsset)
}
