import { Elysia } from 'elysia'
import favicon from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' }
import layout from 'swagger-ui-dist/index.css' with { type: 'file' }
import theme from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import changelog from '../../CHANGELOG.md' with { type: 'text' }
import { openapi } from '../contract/documents.ts'
import { jsonMediaType } from '../contract/operations.ts'
import { ProblemError } from '../contract/problems.ts'
import { type Content, serveContent } from './content.ts'
import { linkFrom } from './html.ts'
import client from './swagger-client.js' with { type: 'file' }
import style from './swagger-page.css' with { type: 'file' }

/** The files that the page loads. A compiled binary contains them. */
const assets: Record<string, string> = {
  'swagger-ui-bundle.js': bundle,
  'swagger-ui.css': theme,
  'index.css': layout,
  'favicon-32x32.png': favicon,
  'swagger-client.js': client,
  'swagger-page.css': style,
}

const assetLink = (name: string) => linkFrom('/swagger', `/swagger/${name}`)

const yamlContent = (body: string): Content => ({
  body,
  type: 'application/yaml',
  browserType: 'text/plain; charset=utf-8',
})

/** The Swagger page, its assets, and the two documents as JSON and as YAML with comments. */
export function swaggerPages() {
  const page = serveContent(renderPage)
  const json = serveContent(async () => ({
    body: JSON.stringify((await import('../contract/full-documents.ts')).sources.openapi),
    type: jsonMediaType,
  }))
  const yaml = serveContent(async () => yamlContent((await import('./document-texts.ts')).openapiText))
  const asyncapi = serveContent(async () => yamlContent((await import('./document-texts.ts')).asyncapiText))
  const assetRoutes = new Map(
    Object.entries(assets).map(([name, path]) => [name, serveContent(() => readAsset(path))]),
  )

  function serveAsset(context: Parameters<typeof page>[0] & { params: { asset: string } }) {
    const serve = assetRoutes.get(context.params.asset)
    if (!serve) throw new ProblemError('not-found')
    return serve(context)
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

async function readAsset(path: string): Promise<Content> {
  const file = Bun.file(path)
  return { body: new Uint8Array(await file.arrayBuffer()), type: file.type }
}

/** The page of @elysiajs/swagger, unchanged. */
async function pluginPage(): Promise<Response> {
  // Imported on demand: with its themes, the plugin would delay startup more than any other library.
  const { swagger } = await import('@elysiajs/swagger')
  const { title, version, summary } = openapi.info
  const plugin = swagger({
    provider: 'swagger-ui',
    // The plugin inserts both into the page without escaping them.
    documentation: { info: { title: Bun.escapeHTML(title), description: Bun.escapeHTML(summary), version } },
    path: '/swagger',
    specPath: linkFrom('/swagger', '/openapi.json'),
    theme: assetLink('swagger-ui.css'),
    // The plugin's dark mode inverts the colors with an inline style, which the policy forbids.
    autoDarkMode: false,
    swaggerOptions: {
      deepLinking: true,
      displayRequestDuration: true,
      persistAuthorization: true,
      // By default, Swagger UI sends the address of every document outside localhost to a public validator.
      validatorUrl: 'none',
    },
  })
  return plugin.handle(new Request('http://localhost/swagger'))
}

const headContent = `<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${assetLink('index.css')}">
<link rel="stylesheet" href="${assetLink('swagger-page.css')}">
<link rel="icon" href="${assetLink('favicon-32x32.png')}">`

async function changelogSection(): Promise<string> {
  const { guideLinks } = await import('./guides.ts')
  const html = guideLinks(Bun.markdown.html(changelog), { page: '/swagger', file: 'CHANGELOG.md' })
  return `<section id="changelog" class="swagger-ui"><div class="wrapper"><div class="renderedMarkdown">${html}</div></div></section>`
}

const contentSecurityPolicy = (inlineScript: string) =>
  [
    "default-src 'none'",
    `script-src 'self' 'sha256-${new Bun.CryptoHasher('sha256').update(inlineScript).digest('base64')}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/**
 * The page of the plugin with three changes for which it has no option: this service serves the script
 * instead of unpkg, the policy allows the inline script by its hash, and the changelog is added
 * (docs/decisions/swagger-assets.md).
 */
async function renderPage(): Promise<Content> {
  const [page, changes] = await Promise.all([pluginPage(), changelogSection()])
  let inlineScript = ''
  const body = await new HTMLRewriter()
    .on('head', {
      element(head) {
        head.append(headContent, { html: true })
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
        container.after(changes, { html: true })
      },
    })
    .transform(page)
    .text()
  return {
    body,
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': contentSecurityPolicy(inlineScript) },
  }
}
