import { Elysia } from 'elysia'
import { catalogue, type ProblemCode, ProblemError, problemPath } from '../contract/problems.ts'
import { prefersHtml } from '../http/accept.ts'
import { definitionList, linkFrom, pageHeaders, renderPage } from './html.ts'

const toJson = (code: string) => ({ type: problemPath(code), code, ...catalogue[code as ProblemCode] })

function problemPage(code: ProblemCode): string {
  const { status, title, detail, when, action } = catalogue[code]
  return renderPage({
    page: problemPath(code),
    title,
    content: `<h1>${Bun.escapeHTML(title)}</h1>
<p><code>${Bun.escapeHTML(code)}</code>, status ${status}: ${Bun.escapeHTML(detail)}</p>
<h2>When it happens</h2><p>${Bun.escapeHTML(when)}</p>
<h2>What to do</h2><p>${Bun.escapeHTML(action)}</p>
<p><a href="${linkFrom(problemPath(code), '/problems')}">All problem types</a></p>`,
  })
}

const problemsPage = () =>
  renderPage({
    page: '/problems',
    title: 'Problem types',
    content: `<h1>Problem types</h1>
${definitionList(
  Object.entries(catalogue).map(([code, { status, title, when }]) => [
    `${status} <a href="${linkFrom('/problems', problemPath(code))}">${Bun.escapeHTML(code)}</a>`,
    `${Bun.escapeHTML(title)}. ${Bun.escapeHTML(when)}`,
  ]),
)}`,
  })

/** The pages that explain each problem type, as HTML or JSON. */
export const problemPages = () =>
  new Elysia({ name: 'problems' })
    .get('/problems', ({ request, set }) => {
      set.headers.vary = 'Accept'
      if (!prefersHtml(request)) return { problems: Object.keys(catalogue).map(toJson) }
      Object.assign(set.headers, pageHeaders)
      return problemsPage()
    })
    .get('/problems/:code', ({ request, set, params: { code } }) => {
      if (!Object.hasOwn(catalogue, code)) throw new ProblemError('not-found')
      set.headers.vary = 'Accept'
      if (!prefersHtml(request)) return toJson(code)
      Object.assign(set.headers, pageHeaders)
      return problemPage(code as ProblemCode)
    })
