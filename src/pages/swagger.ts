import { Elysia } from 'elysia'
import favicon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' }
import layout from 'swagger-ui-dist/index.css' with { type: 'file' }
import theme from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import changelog from '../../CHANGELOG.md' with { type: 'text' }
import { jsonMediaType } from '../contract/operations.ts'
import { ProblemError } from '../contract/problems.ts'
import { documentSource } from './document-source.ts' with { type: 'macro' }
import { linkFrom } from './html.ts'
import client from './swagger-client.js' with { type: 'file' }

/** The properties of the OpenAPI document that this file reads. The page shows the whole document. */
export interface Document {
  info: { title: string; version: string; summary?: string }
}

interface Served {
  body: string | ArrayBuffer
  type: string
  etag: string
  contentSecurityPolicy?: string
}

/** The files that the page loads. A compiled binary contains them. */
const assets: Record<string, string> = {
  'swagger-ui-bundle.js': bundle,
  'swagger-ui.css': theme,
  'index.css': layout,
  'favicon-32x32.png': favicon,
  'swagger-client.js': client,
}

const assetLink = (name: string) => linkFrom('/swagger', `/swagger/${name}`)

/** The Swagger page, its assets, and the two documents as JSON and as YAML with comments. */
export function swaggerPages({ openapi }: { openapi: Document }) {
  const page = lazy(() => renderPage(openapi))
  const json = lazy(() => served(JSON.stringify(openapi), jsonMediaType))
  const yaml = lazy(() => served(documentSource('openapi.yaml'), 'application/yaml'))
  const asyncapi = lazy(() => served(documentSource('asyncapi.yaml'), 'application/yaml'))
  const assetRoutes = new Map(Object.entries(assets).map(([name, path]) => [name, lazy(() => asset(path))]))

  function serveAsset({ params, request }: { params: { asset: string }; request: Request }) {
    const route = assetRoutes.get(params.asset)
    if (!route) throw new ProblemError('not-found')
    return route({ request })
  }

  // Elysia does not derive HEAD from GET.
  return new Elysia({ name: 'swagger' })
    .get('/swagger', page)
    .head('/swagger', page)
    .get('/swagger/:asset', serveAsset)
    .head('/swagger/:asset', serveAsset)
    .get('/openapi.json', json)
    .head('/openapi.json', json)
    .get('/openapi.yaml', yaml)
    .head('/openapi.yaml', yaml)
    .get('/asyncapi.yaml', asyncapi)
    .head('/asyncapi.yaml', asyncapi)
}

/** Creates the content at the first request and keeps it; most processes never serve it. */
function lazy(make: () => Served | Promise<Served>) {
  let made: Promise<Served> | undefined
  return async ({ request }: { request: Request }): Promise<Response> => {
    made ??= Promise.resolve(make())
    const { body, type, etag, contentSecurityPolicy } = await made
    const headers = new Headers({ etag, 'cache-control': 'no-cache' })
    if (contentSecurityPolicy) headers.set('content-security-policy', contentSecurityPolicy)
    if (matches(request.headers.get('if-none-match'), etag))
      return new Response(null, { status: 304, headers })
    headers.set('content-type', type)
    return new Response(body, { headers })
  }
}

/** Whether `If-None-Match` lists this entity tag, by weak comparison (RFC 9110, section 13.1.2). */
function matches(ifNoneMatch: string | null, etag: string): boolean {
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

/** The changelog, whose links to files of the repository lead nowhere on the page and become text. */
const changelogHtml = () =>
  Bun.markdown.html(changelog).replace(/<a href="(?!https?:)[^"]*">(.*?)<\/a>/gs, '$1')

/**
 * The Swagger UI page of @elysiajs/swagger with three changes for which the plugin has no option: this
 * service serves the script instead of unpkg, the policy allows the inline script by its hash, and the
 * changelog is added (docs/decisions/swagger-assets.md).
 */
async function renderPage(openapi: Document): Promise<Served> {
  // Imported on demand: with its themes it would delay startup more than any other library.
  const { swagger } = await import('@elysiajs/swagger')
  const { title, version, summary = title } = openapi.info
  const plugin = swagger({
    provider: 'swagger-ui',
    // The plugin inserts both into the page without escaping them.
    documentation: { info: { title: Bun.escapeHTML(title), description: Bun.escapeHTML(summary), version } },
    path: '/swagger',
    specPath: linkFrom('/swagger', '/openapi.json'),
    theme: assetLink('swagger-ui.css'),
    autoDarkMode: false,
    swaggerOptions: {
      deepLinking: true,
      displayRequestDuration: true,
      // By default, Swagger UI sends the address of every document outside localhost to a public validator.
      validatorUrl: 'none',
    },
  })
  const page = await plugin.handle(new Request('http://localhost/swagger'))

  let inlineScript = ''
  const html = await new HTMLRewriter()
    .on('head', {
      element(head) {
        head.append(
          `<link rel="stylesheet" href="${assetLink('index.css')}"><link rel="icon" href="${assetLink('favicon-32x32.png')}">`,
          { html: true },
        )
      },
    })
    .on('script[src]', {
      element(script) {
        script.setAttribute('src', assetLink('swagger-ui-bundle.js'))
        script.removeAttribute('crossorigin')
        script.after(`<script src="${assetLink('swagger-client.js')}"></script>`, { html: true })
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
          `<section id="changelog" class="swagger-ui"><div class="wrapper"><div class="renderedMarkdown">${changelogHtml()}</div></div></section>`,
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
