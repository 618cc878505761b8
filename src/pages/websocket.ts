import type { CloseCode, JsonSchema, RateLimit, ResponseObject } from '../contract/documents.ts'
import { asyncapi } from '../contract/full-documents.ts'
import { problemPath } from '../contract/problems.ts'
import type { Content } from './content.ts'
import { guideSection } from './guides.ts'
import { htmlContent, linkFrom } from './html.ts'
import {
  code,
  codeBlock,
  escapeHtml,
  inlineMarkdown,
  jsonBlock,
  markdown,
  propertyList,
  scrollable,
  table,
} from './markup.ts'

const page = '/websocket'

interface Message {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly payload: JsonSchema
  readonly examples: readonly { readonly name: string; readonly summary: string; readonly payload: unknown }[]
  /** Frames that the examples respond to, by the name of the example. */
  readonly 'x-example-frames'?: Readonly<Record<string, string>>
}

interface ChannelOperation {
  /** `receive` if the client sends the frame. */
  readonly action: 'receive' | 'send'
  readonly title: string
  readonly summary: string
  readonly messages: readonly Message[]
  readonly reply?: { readonly messages: readonly Message[] }
  readonly 'x-rate-limit'?: RateLimit
}

/** The properties of the AsyncAPI document that only this page reads. References are resolved. */
export interface ChannelDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: Readonly<
    Record<string, { readonly host: string; readonly protocol: string; readonly description: string }>
  >
  readonly channels: {
    readonly chat: (typeof asyncapi)['channels']['chat'] & {
      readonly bindings: { readonly ws: { readonly query: JsonSchema; readonly headers: JsonSchema } }
      readonly messages: Readonly<Record<string, Message>>
      readonly 'x-handshake-responses': Readonly<
        Record<string, ResponseObject & { readonly description: string }>
      >
      readonly 'x-close-codes': Readonly<Record<string, CloseCode & { readonly when: string }>>
    }
  }
  readonly operations: Readonly<Record<string, ChannelOperation>>
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>
  }
}

const describeLimit = ({ policy, quota, window, partition }: RateLimit) =>
  `${quota} in ${window} seconds per ${partition === 'ip' ? 'address' : 'user'} (policy ${code(policy)})`

const frameId = (direction: 'client' | 'server', { name }: Message) => `${direction}-${name}`

const bulletList = (items: readonly string[]) =>
  `<ul>\n${items.map((item) => `<li>${item}</li>`).join('\n')}\n</ul>`

/** The problem codes in the examples of a response. */
const problemCodes = ({ content = {} }: ResponseObject) =>
  Object.values(content).flatMap(({ examples = {} }) =>
    Object.values(examples).map(({ value }) => (value as { code: string }).code),
  )

const problemLink = (problem: string) =>
  `<a href="${linkFrom(page, problemPath(problem))}">${code(problem)}</a>`

/** How a client connects, and how the server refuses it. */
function connecting({ servers, channels: { chat }, components }: ChannelDocument): string {
  const addresses = Object.values(servers).map(
    ({ protocol, host, description }) =>
      `${code(`${protocol}://${host}${chat.address}`)} ${escapeHtml(description)}`,
  )
  const refusal = chat['x-refusals']
  const protocols = [
    chat['x-subprotocol'],
    refusal.subprotocol,
    `${chat['x-token-subprotocol-prefix']}<token>`,
  ]
  const refusals = Object.entries(chat['x-handshake-responses']).map(([status, response]) => [
    status,
    String(refusal['close-codes'][status] ?? ''),
    problemCodes(response).map(problemLink).join('<br>'),
    inlineMarkdown(response.description),
  ])
  return `<h2 id="connecting">Connecting</h2>
${bulletList(addresses)}
<p>The handshake needs the token of a login, in one of these ways:</p>
${bulletList(Object.values(components.securitySchemes).map(({ description }) => inlineMarkdown(description)))}
<p>A page offers these subprotocols:</p>
${codeBlock(`new WebSocket(url, [${protocols.map((each) => `'${each}'`).join(', ')}])`)}
<p>The connection is accepted if ${code('socket.protocol')} is ${code(chat['x-subprotocol'])}.</p>
<h3>Query</h3>
${propertyList(chat.bindings.ws.query)}
<h3>Headers</h3>
${propertyList(chat.bindings.ws.headers)}
<h3 id="refusals">Refusals</h3>
<p>The server refuses a handshake with one of these statuses. A client that offers
${code(refusal.subprotocol)} receives the close code instead, with the problem as the reason.</p>
${scrollable('Refusals', table(['Status', 'Close code', 'Problem', 'When'], refusals))}`
}

/** The limits of connections and frames. */
function limits({ channels: { chat }, operations }: ChannelDocument): string {
  const limited = Object.values(operations).flatMap(({ 'x-rate-limit': limit, title }) =>
    limit ? [[escapeHtml(title), describeLimit(limit)]] : [],
  )
  return `<h2 id="limits">Limits</h2>
${table(
  ['What', 'Limit'],
  [
    ['Open a connection', describeLimit(chat['x-rate-limit'])],
    ...limited,
    ['Size of a frame', `${chat['x-max-frame-bytes']} bytes`],
  ],
)}`
}

const example = (message: Message, { name, summary, payload }: Message['examples'][number]) => {
  const provoking = message['x-example-frames']?.[name]
  return `<h4>${inlineMarkdown(summary)}</h4>
${provoking === undefined ? '' : `<p>The response to this frame:</p>\n${codeBlock(provoking)}\n<p>is:</p>`}
${jsonBlock(payload)}`
}

/** One frame, with the operations in which it occurs. */
function frame(
  direction: 'client' | 'server',
  message: Message,
  operations: readonly ChannelOperation[],
): string {
  const facts = operations.flatMap((operation) => [
    inlineMarkdown(operation.summary),
    ...(operation['x-rate-limit'] ? [`At most ${describeLimit(operation['x-rate-limit'])}.`] : []),
    ...(operation.reply
      ? [
          `The server replies with ${operation.reply.messages
            .map((reply) => `<a href="#${frameId('server', reply)}">${escapeHtml(reply.title)}</a>`)
            .join(' or ')}.`,
        ]
      : []),
  ])
  return `<section aria-labelledby="${frameId(direction, message)}">
<h3 id="${frameId(direction, message)}">${escapeHtml(message.title)}</h3>
<p>${inlineMarkdown(message.summary)}</p>
${facts.length > 0 ? bulletList(facts) : ''}
${propertyList(message.payload)}
${message.examples.map((each) => example(message, each)).join('\n')}
</section>`
}

function frames(document: ChannelDocument, direction: 'client' | 'server', title: string): string {
  const operations = Object.values(document.operations)
  const action = direction === 'client' ? 'receive' : 'send'
  const has = (messages: readonly Message[] | undefined, { name }: Message) =>
    messages?.some((each) => each.name === name) ?? false
  const selected = Object.values(document.channels.chat.messages).flatMap((message) => {
    const own = operations.filter((each) => each.action === action && has(each.messages, message))
    const replied = direction === 'server' && operations.some(({ reply }) => has(reply?.messages, message))
    return own.length > 0 || replied ? [frame(direction, message, own)] : []
  })
  return `<h2 id="${direction}-frames">${title}</h2>\n${selected.join('\n')}`
}

/** How connections stay open and end. */
function ending({ channels: { chat } }: ChannelDocument): string {
  const { 'ping-after-seconds': pingAfter, 'close-after-seconds': closeAfter } = chat['x-liveness']
  return `<h2 id="liveness">Liveness</h2>
<p>The server pings a client that has sent nothing for ${pingAfter} seconds, and ends the connection after
${closeAfter} seconds of silence. Browsers and libraries respond to these pings automatically.</p>
<h2 id="close-codes">Close codes</h2>
${table(
  ['Code', 'Reason', 'When'],
  Object.values(chat['x-close-codes']).map(({ code: number, reason, when }) => [
    String(number),
    reason && code(reason),
    inlineMarkdown(when),
  ]),
)}`
}

const contents = [
  ['#connecting', 'Connecting'],
  ['#refusals', 'Refusals'],
  ['#limits', 'Limits'],
  ['#client-frames', 'Frames of the client'],
  ['#server-frames', 'Frames of the server'],
  ['#liveness', 'Liveness'],
  ['#close-codes', 'Close codes'],
  ['#rules-for-clients', 'Rules for clients'],
] as const

/** The AsyncAPI document as a page. The rules for clients come from the guide. */
export const renderChannel = (
  document: ChannelDocument,
): string => `<h1>${escapeHtml(document.info.title)} <small>${escapeHtml(document.info.version)}</small></h1>
${markdown(document.info.description)}
<p>This page shows <a href="${linkFrom(page, '/asyncapi.yaml')}">asyncapi.yaml</a>.</p>
<nav class="contents" aria-label="Contents"><ul>
${contents.map(([href, text]) => `<li><a href="${href}">${text}</a></li>`).join('\n')}
</ul></nav>
${connecting(document)}
${limits(document)}
${frames(document, 'client', 'Frames of the client')}
${frames(document, 'server', 'Frames of the server')}
${ending(document)}
${guideSection('realtime', 'Rules for clients', page)}`

/** The reference of the WebSocket. */
export function websocketContent(): Content {
  const document = asyncapi as unknown as ChannelDocument
  return htmlContent({ page, title: document.info.title, content: renderChannel(document) })
}
