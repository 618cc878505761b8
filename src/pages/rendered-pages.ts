import { Elysia } from 'elysia'
import { ProblemError } from '../contract/problems.ts'
import { once } from '../once.ts'
import { serveContent } from './content.ts'

// The modules that render these pages are imported at the first request: from source, importing the texts of
// the guides would delay every start.

/** The page that a browser shows for `GET /`. */
export const landingPage = (options: { readonly tryPage: boolean }) =>
  once(async () => (await import('./landing.ts')).createLandingPage(options))

/** The reference of the WebSocket. */
export function websocketPage() {
  const page = serveContent(async () => (await import('./websocket.ts')).websocketContent())
  // Elysia does not derive HEAD from GET.
  return new Elysia({ name: 'websocket-page' }).get('/websocket', page).head('/websocket', page)
}

/** The guides of docs/. */
export function guidePages() {
  const loadPages = once(async () => {
    const { guides, guideContent } = await import('./guides.ts')
    return new Map(guides.map(({ name }) => [name, serveContent(() => guideContent(name))]))
  })
  async function serveGuide(
    context: Parameters<ReturnType<typeof serveContent>>[0] & { params: { guide: string } },
  ) {
    const serve = (await loadPages()).get(context.params.guide)
    if (!serve) throw new ProblemError('not-found')
    return serve(context)
  }
  return new Elysia({ name: 'guides' }).get('/guides/:guide', serveGuide).head('/guides/:guide', serveGuide)
}
