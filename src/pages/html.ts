import type { Content } from './content.ts'
import style from './style.css' with { type: 'text' }

const styleHash = new Bun.CryptoHasher('sha256').update(style).digest('base64')

interface AllowedSources {
  /** Sources of style sheets, in addition to the one that every page contains. */
  readonly styles?: readonly string[]
  /** Further directives. */
  readonly sources?: readonly string[]
}

/** The content security policy of a page. By default, it allows no script and no request. */
export const contentSecurityPolicy = ({ styles = [], sources = [] }: AllowedSources = {}) =>
  [
    "default-src 'none'",
    ['style-src', `'sha256-${styleHash}'`, ...styles].join(' '),
    ...sources,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

/** The headers of every page made by `renderPage`. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': contentSecurityPolicy(),
}

interface Page {
  /** The path at which the page is served. */
  readonly page: string
  readonly title: string
  /** HTML; the caller escapes what it inserts. */
  readonly content: string
  /** HTML in the head. */
  readonly head?: string
  /** Whether the page uses the width of a large window. */
  readonly wide?: boolean
}

/** The pages that every page links to. */
const navigation = [
  ['/', 'Parley'],
  ['/swagger', 'HTTP reference'],
  ['/websocket', 'WebSocket reference'],
  ['/problems', 'Problems'],
] as const

export const renderPage = ({ page, title, content, head = '', wide = false }: Page) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${Bun.escapeHTML(title)}</title>
<style>${style}</style>
${head}
</head>
<body${wide ? ' class="wide"' : ''}>
<header>
<nav class="top" aria-label="Pages">${navigation
  .map(([path, text]) => `<a href="${linkFrom(page, path)}">${text}</a>`)
  .join('\n')}</nav>
</header>
<main>
${content}
</main>
</body>
</html>
`

/** A page as content for `serveContent`. */
export const htmlContent = (page: Page): Content => ({
  body: renderPage(page),
  type: pageHeaders['content-type'],
  headers: { 'content-security-policy': pageHeaders['content-security-policy'] },
})

/**
 * The relative link from the page at one path of this service to another path. An absolute one would lead
 * out of the prefix under which a proxy may publish the service.
 */
export const linkFrom = (page: string, path: string) =>
  `${'../'.repeat(page.split('/').length - 2)}${path.slice(1)}` || './'

/** A definition list. Terms and descriptions are HTML. */
export const definitionList = (
  entries: readonly (readonly [term: string, description: string])[],
  className?: string,
) =>
  `<dl${className === undefined ? '' : ` class="${className}"`}>\n${entries.map(([term, description]) => `<dt>${term}</dt><dd>${description}</dd>`).join('\n')}\n</dl>`
