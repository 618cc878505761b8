import type { Content } from './content.ts'
import { guideSources } from './document-source.ts' with { type: 'macro' }
import type { GuideSource } from './document-source.ts'
import { htmlContent, linkFrom } from './html.ts'
import { scrollable } from './markup.ts'

interface LinkOptions {
  /** The path of the page that shows the text. */
  readonly page: string
  /** The file of the repository that contains the text. */
  readonly file: string
}

export interface Guide extends GuideSource {
  readonly path: string
  readonly title: string
}

/** The guides of the service, in alphabetical order, and then those of the client. */
export const guides: readonly Guide[] = guideSources().map((source) => ({
  ...source,
  path: `/guides/${source.name}`,
  title: /^# (.*)$/m.exec(source.text)?.[1] ?? source.name,
}))

/** The pages of this service that show a file of the repository. */
const pagesOfFiles: Readonly<Record<string, string>> = {
  'CHANGELOG.md': '/swagger#changelog',
  'spec/openapi.yaml': '/openapi.yaml',
  'spec/asyncapi.yaml': '/asyncapi.yaml',
  ...Object.fromEntries(guides.map(({ file, path }) => [file, path])),
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

/** A text of a file as HTML, with links for the page that shows it. */
function renderGuide(text: string, options: LinkOptions): string {
  const html = Bun.markdown.html(text, { headings: { ids: true } })
  let tables = 0
  return guideLinks(html, options).replace(/<table>.*?<\/table>/gs, (table) =>
    scrollable(`Table ${++tables}`, table),
  )
}

function findGuide(name: string): Guide {
  const guide = guides.find((each) => each.name === name)
  if (!guide) throw new Error(`There is no guide ${name}`)
  return guide
}

/**
 * One section of a guide as HTML, from its heading to the next heading of the same level.
 *
 * @throws Error if the guide has no such section
 */
export function guideSection(name: string, heading: string, page: string): string {
  const { file, text, path } = findGuide(name)
  const section = new RegExp(`^## ${heading}$.*?(?=^## |$(?![\\s\\S]))`, 'ms').exec(text)?.[0]
  if (section === undefined) throw new Error(`${file} has no section "${heading}"`)
  const html = renderGuide(section, { page, file })
  // Anchors of other sections exist only on the page of the guide.
  return html.replace(/href="#([^"]*)"/g, (link, id: string) =>
    html.includes(`id="${id}"`) ? link : `href="${linkFrom(page, path)}#${id}"`,
  )
}

/** The page of a guide. */
export function guideContent(name: string): Content {
  const { file, text, path, title } = findGuide(name)
  return htmlContent({ page: path, title, content: renderGuide(text, { page: path, file }) })
}
