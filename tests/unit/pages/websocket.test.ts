import { describe, expect, test } from 'bun:test'
import { asyncapi, sources } from '../../../src/contract/full-documents.ts'
import { type ChannelDocument, renderChannel } from '../../../src/pages/websocket.ts'

const document = asyncapi as unknown as ChannelDocument
const { chat } = document.channels

/** The text of HTML as a reader sees it, with single spaces. */
function textOf(html: string): string {
  let text = ''
  const collect = (chunk: { text: string }) => {
    text += chunk.text
  }
  new HTMLRewriter().onDocument({ text: collect }).transform(html)
  const entities: Record<string, string> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#x27;': "'",
    '&amp;': '&',
  }
  return text.replace(/&[a-z#0-9]+;/g, (entity) => entities[entity] ?? entity).replace(/\s+/g, ' ')
}

const plain = (markdown: string) => textOf(Bun.markdown.html(markdown)).trim()
const json = (value: unknown) => JSON.stringify(value, null, 2).replace(/\s+/g, ' ')

const page = renderChannel(document)
const text = textOf(page)

describe('the page of the WebSocket contains', () => {
  test('every frame with its summary and all of its examples', () => {
    for (const { title, summary, examples } of Object.values(chat.messages)) {
      expect(text.includes(title)).toBe(true)
      expect(text.includes(plain(summary))).toBe(true)
      for (const { summary, payload } of examples) {
        expect(text.includes(plain(summary))).toBe(true)
        expect(text.includes(json(payload))).toBe(true)
      }
    }
  })

  test('every property of a frame', () => {
    for (const { payload } of Object.values(chat.messages)) {
      for (const name of Object.keys(payload.properties as object))
        expect(page.includes(`<dt>${name}</dt>`)).toBe(true)
    }
    expect(page.includes('<dt>user.username</dt>')).toBe(true)
    expect(page.includes('<dt>problem.errors[].pointer</dt>')).toBe(true)
  })

  test('every frame of the client under the client, and every frame of the server under the server', () => {
    const ids = (direction: string) =>
      [...page.matchAll(new RegExp(`<h3 id="${direction}-([^"]*)"`, 'g'))].map(([, name]) => name)
    const { operations } = sources.asyncapi as {
      operations: Record<string, { action: string; messages: { $ref: string }[] }>
    }
    const documented = (action: string) =>
      Object.values(operations)
        .filter((operation) => operation.action === action)
        .flatMap(({ messages }) => messages.map(({ $ref }) => $ref.split('/').at(-1)))
    expect(ids('client').toSorted()).toEqual(documented('receive').toSorted())
    expect(ids('server').toSorted()).toEqual(documented('send').toSorted())
  })

  test('every close code and every refusal', () => {
    for (const { code, reason, when } of Object.values(chat['x-close-codes'])) {
      expect(text.includes(`${code}`)).toBe(true)
      expect(text.includes(reason)).toBe(true)
      expect(text.includes(plain(when))).toBe(true)
    }
    for (const [status, { description }] of Object.entries(chat['x-handshake-responses'])) {
      expect(page.includes(`<td>${status}</td>`)).toBe(true)
      expect(text.includes(plain(description))).toBe(true)
    }
  })

  test('the subprotocols, the limits and the times of the document', () => {
    expect(text.includes("new WebSocket(url, ['parley.v1', 'parley.refusals', 'bearer.<token>'])")).toBe(true)
    expect(text.includes('60 in 60 seconds per user (policy connect)')).toBe(true)
    expect(text.includes('65536 bytes')).toBe(true)
    expect(text.includes('has sent nothing for 20 seconds')).toBe(true)
  })

  test('the rules for clients of the guide', () => {
    expect(page.includes('<h3 id="detecting-a-dead-connection">')).toBe(true)
    expect(page.includes('href="guides/rate-limiting"')).toBe(true)
  })
})

test('a frame and a close code that a later release adds appear without a change of the page', () => {
  const typing = {
    name: 'typing',
    title: 'Typing',
    summary: 'A user is typing.',
    payload: { type: 'object', properties: { event: { const: 'typing' } }, required: ['event'] },
    examples: [{ name: 'typing', summary: 'Somebody <types>', payload: { event: 'typing' } }],
  }
  const later: ChannelDocument = {
    ...document,
    operations: {
      ...document.operations,
      reportTyping: { action: 'send', title: 'Typing', summary: 'Shows it.', messages: [typing] },
    },
    channels: {
      chat: {
        ...chat,
        messages: { ...chat.messages, typing },
        'x-close-codes': {
          ...chat['x-close-codes'],
          tired: { code: 4242, reason: 'tired', when: 'The server is tired.' },
        },
      },
    },
  }
  const added = renderChannel(later)
  expect(added.includes('<h3 id="server-typing">Typing</h3>')).toBe(true)
  expect(added.includes('Somebody &lt;types&gt;')).toBe(true)
  expect(textOf(added).includes('4242tiredThe server is tired.')).toBe(true)
})

test('every anchor on the page exists, exactly once', () => {
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id as string)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(id as string)
})
