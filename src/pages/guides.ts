import { Elysia } from 'elysia'
import { ProblemError } from '../contract/problems.ts'
import { serveContent } from './content.ts'
import { guideSources } from './document-source.ts' with { type: 'macro' }
import { htmlContent, linkFrom } from './html.ts'

interface LinkOptions {
  /** The path of the page that shows the text. */
  readonly page: string
  /** The file of the repository that contains the text. */
  readonly file: string
}

export interface Guide {
  readonly path: string
  readonly title: string
}

const sources = guideSources()

const guidePath = (name: string) => `/guides/${name}`

/** The guides, in alphabetical order. */
export const guides: readonly Guide[] = Object.entries(sources).map(([name, text]) => ({
  path: guidePath(name),
  title: /^# (.*)$/m.exec(text)?.[1] ?? name,
}))

/** The pages of this service that show a file of the repository. */
const pagesOfFiles: Readonly<Record<string, string>> = {
  'CHANGELOG.md': '/swagger#changelog',
  'spec/openapi.yaml': '/openapi.yaml',
  'spec/asyncapi.yaml': '/asyncapi.yaml',
  ...Object.fromEntries(Object.keys(sources).map((name) => [`docs/${name}.md`, guidePath(name)])),
}

/** Where a link of a file leads on this service, or undefined if the service does not serve its target. */
function resolveLink(href: string, { page, file }: LinkOptions): string | undefined {
  if (/^https?:/.test(href) || href.startsWith('#')) return href
  const { pathname, hash } = new URL(href, `http://repository/${file}`)
  const path = pagesOfFiles[pathname.slice(1)]
  if (path === undefined) return undefined
  const [target = '', fragment = ''] = path.split(/(?=#)/)
  return linkFrom(page, target) + (hash || fragment)
}

/** Adapts the links of a rendered file to this service. A link that leads nowhere becomes text. */
export const guideLinks = (html: string, options: LinkOptions): string =>
  html.replace(/<a href="([^"]*)">(.*?)<\/a>/gs, (_, escaped: string, text: string) => {
    const href = resolveLink(escaped.replaceAll('&amp;', '&'), options)
    return href === undefined ? text : `<a href="${Bun.escapeHTML(href)}">${text}</a>`
  })

function guidePage(name: string, text: string) {
  const page = guidePath(name)
  const html = Bun.markdown.html(text, { headings: { ids: true } })
  const title = guides.find(({ path }) => path === page)?.title ?? name
  return htmlContent({
    page,
    title,
    content: scrollableTables(guideLinks(html, { page, file: `docs/${name}.md` })),
  })
}

/** Wide tables scroll on their own, also with the keyboard. */
const scrollableTables = (html: string) =>
  html
    .replaceAll('<table>', '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')

/** The guides of docs/ as pages. */
export function guidePages() {
  const routes = new Map(
    Object.entries(sources).map(([name, text]) => [name, serveContent(() => guidePage(name, text))]),
  )
  return new Elysia({ name: 'guides' }).get('/guides/:guide', ({ request, set, params }) => {
    const serve = routes.get(params.guide)
    if (!serve) throw new ProblemError('not-found')
    return serve({ request, set })
  })
}
