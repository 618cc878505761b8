import { openapi } from '../contract/documents.ts'
import { definitionList, linkFrom, pageHeaders, renderPage } from './html.ts'

const { info } = openapi

const links = Object.entries(openapi['x-service-paths'])
  .filter(([path]) => path !== '/' && !path.includes('{'))
  .map(([path, text]): [string, string] => {
    const href = Bun.escapeHTML(linkFrom('/', path))
    return [`<a href="${href}">${Bun.escapeHTML(path)}</a>`, Bun.escapeHTML(text)]
  })

/** The page that a browser shows for `GET /`. */
export const landingPage = {
  headers: pageHeaders,
  text: renderPage({
    page: '/',
    title: info.title,
    content: `<h1>${Bun.escapeHTML(info.title)} ${Bun.escapeHTML(info.version)}</h1>
<p>${Bun.escapeHTML(info.summary)} This address is also the WebSocket.</p>
${definitionList(links)}`,
  }),
}
