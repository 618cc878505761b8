// The pane of one person: the messages that this person sees, and the buttons that test the connection.
import { type Chat, type ChatMessage, type ChatState, isParleyError } from '../../../client/src/index.ts'
import { byId, element } from './elements.ts'
import type { Network } from './network.ts'

/** How long a cut lasts. Long enough to send messages from the other pane. */
const cutMs = 4000
const burstSize = 10
/** A frame with an unknown property, which is an example of the document. */
const badFrame = '{"message":"Hello, world!","channel":"lobby"}'

interface PaneOptions {
  readonly username: string
  readonly chat: Chat
  readonly network: Network
}

export interface Pane {
  send(text: string): Promise<void>
  /** Ends the chat and removes the pane. */
  close(): void
}

const stateTexts: Readonly<Record<ChatState['name'], string>> = {
  connecting: 'connecting',
  'catching-up': 'catching up',
  open: 'connected',
  waiting: 'disconnected',
  unauthorized: 'logged out',
  paused: 'paused',
  closing: 'closing',
  closed: 'closed',
}

/** The key of a message. `crypto.randomUUID` does not exist on pages without HTTPS. */
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')

/** The reason of a refusal for a person, with the places that are wrong. */
function explain(error: unknown): string {
  if (!isParleyError(error)) return String(error)
  const { code, problem } = error
  const errors = (problem?.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`)
  return [code, errors.length > 0 ? errors.join(', ') : problem?.detail].filter(Boolean).join(': ')
}

export function createPane({ username, chat, network }: PaneOptions): Pane {
  const template = byId<HTMLTemplateElement>('pane')
  const root = template.content.firstElementChild?.cloneNode(true) as HTMLElement
  const find = <Type extends HTMLElement>(selector: string) => root.querySelector(selector) as Type
  const log = find('.messages')
  const list = find('.messages ol')
  const state = find('.state')
  const countdown = find('.countdown')
  const input = find<HTMLInputElement>('input')
  const badButton = find<HTMLButtonElement>('.bad')
  const pending = new Map<string, HTMLElement>()

  find('.who').textContent = username
  root.setAttribute('aria-label', username)
  input.setAttribute('aria-label', `Message of ${username}`)
  log.setAttribute('aria-label', `Messages that ${username} sees`)

  function append(item: HTMLElement): HTMLElement {
    list.append(item)
    log.scrollTop = log.scrollHeight
    return item
  }

  const messageItem = (author: string, text: string, className: string, note?: string) =>
    element('li', {
      className,
      children: [
        element('b', { text: author }),
        element('span', { text }),
        ...(note === undefined ? [] : [element('small', { text: note })]),
      ],
    })

  function showMessage({ user, message, idempotencyKey }: ChatMessage): void {
    const isMine = user.username === username
    if (isMine && idempotencyKey !== undefined) {
      pending.get(idempotencyKey)?.remove()
      pending.delete(idempotencyKey)
    }
    const isMissed = chat.state.name === 'catching-up'
    const className = [isMine ? 'mine' : '', isMissed ? 'missed' : ''].join(' ').trim()
    append(messageItem(user.username, message, className, isMissed ? 'was missed' : undefined))
    // Messages that are not confirmed stay at the end.
    for (const item of pending.values()) append(item)
  }

  async function send(text: string): Promise<void> {
    const idempotencyKey = newKey()
    const item = append(messageItem(username, text, 'mine pending', 'waiting'))
    pending.set(idempotencyKey, item)
    try {
      await chat.send(text, { idempotencyKey })
    } catch (error) {
      pending.delete(idempotencyKey)
      item.replaceWith(messageItem(username, text, 'refused', explain(error)))
    }
  }

  function showState(): void {
    const { state: now } = chat
    root.dataset.state = now.name
    if (state.textContent !== stateTexts[now.name]) state.textContent = stateTexts[now.name]
    badButton.disabled = now.name !== 'open'
    const seconds = now.name === 'waiting' ? Math.ceil((now.until - Date.now()) / 1000) : 0
    countdown.textContent = seconds > 0 ? `, again in ${seconds} s` : ''
  }

  const offs = [
    chat.on('message', showMessage),
    chat.on('state', showState),
    chat.on(
      'gap',
      () =>
        void append(element('li', { className: 'note', text: 'Some missed messages are no longer stored.' })),
    ),
    chat.on(
      'error',
      (error) => void append(element('li', { className: 'refused', text: `Refused: ${explain(error)}` })),
    ),
  ]
  const clock = setInterval(showState, 500)

  find('form').addEventListener('submit', (event) => {
    event.preventDefault()
    void send(input.value)
    input.value = ''
  })
  find('.cut').addEventListener('click', () => network.cut(cutMs))
  find('.burst').addEventListener('click', () => {
    for (let number = 1; number <= burstSize; number++) void send(`${number} of ${burstSize}`)
  })
  badButton.addEventListener('click', () => network.sendRaw(badFrame))

  showState()
  byId('panes').append(root)
  return {
    send,
    close() {
      clearInterval(clock)
      for (const off of offs) off()
      void chat.close()
      root.remove()
    },
  }
}
