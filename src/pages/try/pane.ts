// The pane of one person: the messages that this person sees, and the buttons that test the connection.
import {
  type Chat,
  type ChatMessage,
  type ChatState,
  type Client,
  isParleyError,
} from '../../../client/src/index.ts'
import { byId, element } from './elements.ts'
import type { Network } from './network.ts'
import { createRoomSwitch } from './rooms.ts'

/** How long a cut lasts. Long enough to send messages from the other pane. */
const cutMs = 4000
const burstSize = 10
/** A frame with an unknown property, which is an example of the document. */
const badFrame = '{"message":"Hello, world!","channel":"lobby"}'

interface PaneOptions {
  readonly username: string
  readonly client: Client
  readonly chat: Chat
  readonly network: Network
  /** The username of the person in the other pane. */
  readonly other: () => string | undefined
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

export function createPane({ username, client, chat, network, other }: PaneOptions): Pane {
  const template = byId<HTMLTemplateElement>('pane')
  const root = template.content.firstElementChild?.cloneNode(true) as HTMLElement
  const find = <Type extends HTMLElement>(selector: string) => root.querySelector(selector) as Type
  const log = find('.messages')
  const list = find('.messages ol')
  const state = find('.state')
  const countdown = find('.countdown')
  const input = find<HTMLInputElement>('.write input')
  const badButton = find<HTMLButtonElement>('.bad')
  const pending = new Map<string, HTMLElement>()

  find('.who').textContent = username
  root.setAttribute('aria-label', username)
  input.setAttribute('aria-label', `Message of ${username}`)
  log.setAttribute('aria-label', `Messages that ${username} sees`)

  /** Adds an item to a room; the pane shows those of one room at a time. */
  function append(item: HTMLElement, room = item.dataset.room ?? rooms.current): HTMLElement {
    item.dataset.room = room
    item.hidden = room !== rooms.current
    list.append(item)
    log.scrollTop = log.scrollHeight
    return item
  }

  /** Adds an item that somebody has caused, perhaps in another room than the one that the pane shows. */
  function receive(item: HTMLElement, room = ''): void {
    append(item, room)
    if (room !== rooms.current) rooms.countUnread(room)
  }

  const note = (text: string, className = 'note') => element('li', { className, text })

  const rooms = createRoomSwitch({
    root,
    chat,
    client,
    username,
    other,
    onSwitch() {
      for (const item of list.children as HTMLCollectionOf<HTMLElement>) {
        item.hidden = item.dataset.room !== rooms.current
      }
      log.scrollTop = log.scrollHeight
    },
    onError: (error) => void append(note(`Refused: ${explain(error)}`, 'refused')),
  })

  const messageItem = (author: string, text: string, className: string, note?: string) =>
    element('li', {
      className,
      children: [
        element('b', { text: author }),
        element('span', { text }),
        ...(note === undefined ? [] : [element('small', { text: note })]),
      ],
    })

  function showMessage({ room, user, message, idempotencyKey }: ChatMessage): void {
    const isMine = user.username === username
    if (isMine && idempotencyKey !== undefined) {
      pending.get(idempotencyKey)?.remove()
      pending.delete(idempotencyKey)
    }
    const isMissed = chat.state.name === 'catching-up'
    const className = [isMine ? 'mine' : '', isMissed ? 'missed' : ''].join(' ').trim()
    const item = messageItem(user.username, message, className, isMissed ? 'was missed' : undefined)
    if (isMine) append(item, room ?? '')
    else receive(item, room)
    // Messages that are not confirmed stay at the end.
    for (const item of pending.values()) append(item)
  }

  async function send(text: string): Promise<void> {
    const idempotencyKey = newKey()
    const item = append(messageItem(username, text, 'mine pending', 'waiting'))
    pending.set(idempotencyKey, item)
    try {
      await chat.send(text, { idempotencyKey, room: item.dataset.room || undefined })
    } catch (error) {
      pending.delete(idempotencyKey)
      const refused = messageItem(username, text, 'refused', explain(error))
      refused.dataset.room = item.dataset.room
      refused.hidden = item.hidden
      item.replaceWith(refused)
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
    chat.on('gap', ({ room }) => void append(note('Some missed messages are no longer stored.'), room ?? '')),
    chat.on('joined', ({ room, user }) => receive(note(`${user.username} joined.`), room.id)),
    chat.on('left', ({ room, user }) => receive(note(`${user.username} left.`), room)),
    chat.on('error', (error) => void append(note(`Refused: ${explain(error)}`, 'refused'))),
    rooms.close,
  ]
  const clock = setInterval(showState, 500)

  find('.write').addEventListener('submit', (event) => {
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
