import type { Content } from './content.ts'
import { guideSources } from './document-source.ts' with { type: 'macro' }
import { htmlContent, linkFrom } from './html.ts'
import { scrollable } from './markup.ts'

interface LinkOptions {
  /** The path of the page that shows the text. */
  readonly page: string
  /** The file of the repository that contains the text. */
  readonly file: string
}

export interface Guide {
  readonly name: string
  readonly path: string
  readonly title: string
}

const sources = guideSources()

const guidePath = (name: string) => `/guides/${name}`

const titleOf = (name: string, text: string) => /^# (.*)$/m.exec(text)?.[1] ?? name

/** The guides, in alphabetical order. */
export const guides: readonly Guide[] = Object.entries(sources).map(([name, text]) => ({
  name,
  path: guidePath(name),
  title: titleOf(name, text),
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

/** A file of docs/ as HTML, with links for the page that shows it. */
function renderGuide(name: string, text: string, page: string): string {
  const html = Bun.markdown.html(text, { headings: { ids: true } })
  let tables = 0
  return guideLinks(html, { page, file: `docs/${name}.md` }).replace(/<table>.*?<\/table>/gs, (table) =>
    scrollable(`Table ${++tables}`, table),
  )
}

/**
 * One section of a guide as HTML, from its heading to the next heading of the same level.
 *
 * @throws Error if the guide has no such section
 */
export function guideSection(name: string, heading: string, page: string): string {
  const section = new RegExp(`^## ${heading}$.*?(?=^## |$(?![\\s\\S]))`, 'ms').exec(sources[name] ?? '')?.[0]
  if (section === undefined) throw new Error(`docs/${name}.md has no section "${heading}"`)
  const html = renderGuide(name, section, page)
  // Anchors of other sections exist only on the page of the guide.
  return html.replace(/href="#([^"]*)"/g, (link, id: string) =>
    html.includes(`id="${id}"`) ? link : `href="${linkFrom(page, guidePath(name))}#${id}"`,
  )
}

/** The page of a guide. */
export function guideContent(name: string): Content {
  const text = sources[name] ?? ''
  const page = guidePath(name)
  return htmlContent({ page, title: titleOf(name, text), content: renderGuide(name, text, page) })
}
