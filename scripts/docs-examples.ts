// Renders the examples of the documents as requests and responses, and as frames.
import { asyncapi, openapi, sources } from '../src/contract/full-documents.ts'
import { operations } from './docs-tables.ts'

interface Example {
  readonly summary?: string
  readonly value: { readonly code?: string }
  readonly 'x-request-body'?: unknown
  readonly 'x-request-query'?: Readonly<Record<string, string>>
}

interface WithExamples {
  readonly examples?: Readonly<Record<string, Example>>
}

const json = (value: unknown) => JSON.stringify(value, null, 2)
const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.trim()}\n\`\`\``
const mediaTypes = (content: object | undefined) =>
  Object.entries((content ?? {}) as Record<string, WithExamples>)

/** Pairs of a request and its response. Responses that no documented request provokes are omitted. */
export function requestExamples(): string {
  return operations
    .flatMap(({ route, operation }) => {
      const { requestBody, responses, security } = operation
      const requests = mediaTypes(requestBody?.content)[0]?.[1].examples ?? {}
      const pairs = Object.entries(responses).flatMap(([status, { content }]) =>
        mediaTypes(content).flatMap(([mediaType, { examples = {} }]) =>
          Object.entries(examples).flatMap(([name, example]) => {
            const body = example['x-request-body'] ?? requests[name]?.value
            const query = example['x-request-query']
            const isSuccess = Number(status) < 400
            if (body === undefined && query === undefined && !(isSuccess && requestBody === undefined))
              return []
            const request = [
              `${route}${query ? `?${new URLSearchParams(query)}` : ''}`,
              ...(security.length > 0 ? ['Authorization: Bearer your-auth-token'] : []),
              ...(body === undefined ? [] : ['Content-Type: application/json', '', json(body)]),
            ]
            const title =
              isSuccess && name === 'documented' ? 'Success' : (example.summary ?? requests[name]?.summary)
            return [
              `#### ${title ?? name}`,
              fenced('http', request.join('\n')),
              fenced(
                'http',
                [`HTTP/1.1 ${status}`, `Content-Type: ${mediaType}`, '', json(example.value)].join('\n'),
              ),
            ]
          }),
        ),
      )
      return [`### ${route}`, ...pairs]
    })
    .join('\n\n')
}

/** One problem, as the body of a response. */
export function exampleProblem(): string {
  const response = openapi.paths['/api/auth/register']?.post?.responses['422']
  const { examples = {} } = (response?.content?.['application/problem+json'] ?? {}) as WithExamples
  return fenced('json', json(examples['username-too-short']?.value))
}

interface FrameExample {
  readonly summary: string
  readonly payload: unknown
  readonly 'x-frame'?: string
}

/** Every frame of the channel, with its sender. */
export function frameExamples(): string {
  const { messages } = asyncapi.components as unknown as {
    messages: Record<string, { title: string; summary: string; examples: FrameExample[] }>
  }
  // By reference, because a resolved message no longer has its location.
  const { operations } = sources.asyncapi as {
    operations: Record<string, { action: 'send' | 'receive'; messages: { $ref: string }[] }>
  }
  const received = Object.values(operations).filter(({ action }) => action === 'receive')
  const fromClient = new Set(
    received.flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split('/').at(-1))),
  )
  return Object.entries(messages)
    .flatMap(([name, { title, summary, examples }]) => [
      `### ${title}, ${fromClient.has(name) ? 'from the client' : 'from the server'}`,
      summary,
      ...examples.flatMap(({ summary: what, payload, 'x-frame': cause }) => [
        `${what}${cause === undefined ? ':' : `, after \`${cause}\`:`}`,
        fenced('json', json(payload)),
      ]),
    ])
    .join('\n\n')
}
