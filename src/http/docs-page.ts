import { Elysia } from 'elysia'
import favicon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' }
import layout from 'swagger-ui-dist/index.css' with { type: 'file' }
import theme from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import changelog from '../../CHANGELOG.md' with { type: 'text' }
import { jsonMediaType } from '../contract/operations.ts'
import client from './docs-page-client.js' with { type: 'file' }
import { documentSource } from './document-source.ts' with { type: 'macro' }
import { ProblemError } from './problems.ts'

/** What this file needs of the OpenAPI document; all of it is shown. */
interface Document {
  info: { title: string; version: string; summary?: string }
}

interface Served {
  body: string | ArrayBuffer
  type: string
  etag: string
  contentSecurityPolicy?: string
}

/** The page's own files, embedded in a compiled binary. */
const assets: Record<string, string> = {
  'swagger-ui-bundle.js': bundle,
  'swagger-ui.css': theme,
  'index.css': layout,
  'favicon-32x32.png': favicon,
  'docs-page-client.js': client,
}

/** The docs page, its assets, and the two documents as JSON and as they were written. */
export function docsPage({ openapi }: { openapi: Document }) {
  const page = answers(() => renderPage(openapi))
  const json = answers(() => served(JSON.stringify(openapi), jsonMediaType))
  const yaml = answers(() => served(documentSource('openapi.yaml'), 'application/yaml'))
  const asyncapi = answers(() => served(documentSource('asyncapi.yaml'), 'application/yaml'))
  const assetAnswers = new Map(
    Object.entries(assets).map(([name, path]) => [name, answers(() => asset(path))]),
  )

  function answerAsset({ params, request }: { params: { asset: string }; request: Request }) {
    const answer = assetAnswers.get(params.asset)
    if (!answer) throw new ProblemError('not-found')
    return answer({ request })
  }

  // Each with HEAD, which Elysia does not derive from GET.
  return new Elysia({ name: 'docs-page' })
    .get('/swagger', page)
    .head('/swagger', page)
    .get('/swagger/:asset', answerAsset)
    .head('/swagger/:asset', answerAsset)
    .get('/openapi.json', json)
    .head('/openapi.json', json)
    .get('/openapi.yaml', yaml)
    .head('/openapi.yaml', yaml)
    .get('/asyncapi.yaml', asyncapi)
    .head('/asyncapi.yaml', asyncapi)
}

/** Makes the content at the first request, since most processes are never asked for it, and keeps it. */
function answers(make: () => Served | Promise<Served>) {
  let made: Promise<Served> | undefined
  return async ({ request }: { request: Request }): Promise<Response> => {
    made ??= Promise.resolve(make())
    const { body, type, etag, contentSecurityPolicy } = await made
    const headers = new Headers({ etag, 'cache-control': 'no-cache' })
    if (contentSecurityPolicy) headers.set('content-security-policy', contentSecurityPolicy)
    if (names(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
    headers.set('content-type', type)
    return new Response(body, { headers })
  }
}

/** Whether If-None-Match names this entity tag, compared weakly (RFC 9110, section 13.1.2). */
function names(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}

function served(body: string | ArrayBuffer, type: string): Served {
  return { body, type, etag: `"${new Bun.CryptoHasher('sha256').update(body).digest('base64url')}"` }
}

async function asset(path: string): Promise<Served> {
  const file = Bun.file(path)
  return served(await file.arrayBuffer(), file.type)
}

/**
 * The plugin's Swagger UI page, with three things changed that it has no option for: the script comes
 * from here instead of unpkg, the inline script is allowed by its hash, and the changelog is added.
 * docs/decisions/swagger-assets.md says why.
 */
async function renderPage(openapi: Document): Promise<Served> {
  // Loaded only now: with its themes it would cost more at start-up than any other library.
  const { swagger } = await import('@elysiajs/swagger')
  const { title, version, summary = title } = openapi.info
  const plugin = swagger({
    provider: 'swagger-ui',
    // The plugin puts both into the page as they are.
    documentation: { info: { title: Bun.escapeHTML(title), description: Bun.escapeHTML(summary), version } },
    path: '/swagger',
    specPath: '/openapi.json',
    theme: '/swagger/swagger-ui.css',
    autoDarkMode: false,
    swaggerOptions: {
      deepLinking: true,
      displayRequestDuration: true,
      // By default Swagger UI asks a public validator about every document that is not on localhost.
      validatorUrl: 'none',
    },
  })
  const page = await plugin.handle(new Request('http://localhost/swagger'))

  let inlineScript = ''
  const html = await new HTMLRewriter()
    .on('head', {
      element(head) {
        head.append(
          '<link rel="stylesheet" href="/swagger/index.css"><link rel="icon" href="/swagger/favicon-32x32.png">',
          { html: true },
        )
      },
    })
    .on('script[src]', {
      element(script) {
        script.setAttribute('src', '/swagger/swagger-ui-bundle.js')
        script.removeAttribute('crossorigin')
        script.after('<script src="/swagger/docs-page-client.js"></script>', { html: true })
      },
    })
    .on('script:not([src])', {
      text({ text }) {
        inlineScript += text
      },
    })
    .on('#swagger-ui', {
      element(container) {
        container.after(
          `<section id="changelog" class="swagger-ui"><div class="wrapper"><div class="renderedMarkdown">${Bun.markdown.html(changelog)}</div></div></section>`,
          { html: true },
        )
      },
    })
    .transform(page)
    .text()

  const inlineHash = new Bun.CryptoHasher('sha256').update(inlineScript).digest('base64')
  return {
    ...served(html, 'text/html; charset=utf-8'),
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src 'self' 'sha256-${inlineHash}'`,
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  }
}
