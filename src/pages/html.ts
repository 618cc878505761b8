const style = `
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }
  code, dt { font-family: ui-monospace, monospace; } dd { margin: 0 0 1rem; }
  @media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } a { color: #8bf; } }
`
const styleHash = new Bun.CryptoHasher('sha256').update(style).digest('base64')

/** The headers of every page made by `renderPage`. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`,
}

/** @param content HTML; the caller escapes what it inserts */
export const renderPage = (title: string, content: string) => `<!doctype html>
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

/**
 * The relative link from the page at one path of this service to another path. An absolute one would lead
 * out of the prefix under which a proxy may publish the service.
 */
export const linkFrom = (page: string, path: string) =>
  `${'../'.repeat(page.split('/').length - 2)}${path.slice(1)}`

/** A definition list. Terms and descriptions are HTML. */
export const definitionList = (entries: readonly (readonly [term: string, description: string])[]) =>
  `<dl>\n${entries.map(([term, description]) => `<dt>${term}</dt><dd>${description}</dd>`).join('\n')}\n</dl>`
