import { openapi } from '../contract/documents.ts'
import { guides } from './guides.ts'
import { contentSecurityPolicy, definitionList, linkFrom, pageHeaders, renderPage } from './html.ts'
import { escapeHtml } from './markup.ts'
import { tryAssets } from './try.ts'
import { trySection } from './try-section.ts'

const { info } = openapi

interface Link {
  readonly path: string
  readonly text: string
}

/** The pages that a person or a program opens: without the landing page itself and the paths of single files. */
const pages: readonly Link[] = Object.entries(openapi['x-service-paths'])
  .filter(([path]) => path !== '/' && !path.includes('{'))
  .map(([path, text]) => ({ path, text }))

/** The groups in the order of the page, and the paths of each. The last one has all other paths. */
const groups = [
  ['Reference', /^\/(?:swagger|websocket|problems)$/],
  ['For programs', /\.(?:json|yaml|js)$/],
  ['Health and more', /(?:)/],
] as const

const groupOf = ({ path }: Link) => groups.find(([, pattern]) => pattern.test(path))?.[0]

const linkList = (links: readonly Link[]) =>
  definitionList(
    links.map(({ path, text }) => [
      `<a href="${escapeHtml(linkFrom('/', path))}">${escapeHtml(path)}</a>`,
      escapeHtml(text),
    ]),
    'links',
  )

const guideList = `<ul class="guides">
${guides
  // The page of the client links to its other pages.
  .filter(({ name }) => !name.startsWith('client-'))
  .map(({ path, title }) => `<li><a href="${escapeHtml(linkFrom('/', path))}">${escapeHtml(title)}</a></li>`)
  .join('\n')}
</ul>`

const section = (title: string, content: string) => `<section><h2>${title}</h2>${content}</section>`

function linkGroups(): string {
  const sections = groups.map(([title]) =>
    section(title, linkList(pages.filter((page) => groupOf(page) === title))),
  )
  return `<div class="groups">${sections.toSpliced(1, 0, section('Guides', guideList)).join('\n')}</div>`
}

/** The page that a browser shows for `GET /`. */
export function createLandingPage({ tryPage }: { readonly tryPage: boolean }) {
  const content = `<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.summary)} This address is also the WebSocket.</p>
${tryPage ? trySection : ''}
${linkGroups()}`
  const base = { page: '/', title: info.title, content, wide: true }
  if (!tryPage) return { headers: pageHeaders, text: renderPage(base) }
  return {
    headers: { ...pageHeaders, 'content-security-policy': contentSecurityPolicy(tryAssets) },
    text: renderPage({ ...base, head: tryAssets.head }),
  }
}
