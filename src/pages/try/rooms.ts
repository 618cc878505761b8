// The rooms of one person: which one the pane shows, and the buttons that create, join and leave them.
import type { Chat, Client } from '../../../client/src/index.ts'
import { element } from './elements.ts'

/** The value of the option that selects the messages without a room. */
const everyone = ''

interface RoomSwitchOptions {
  readonly root: HTMLElement
  readonly chat: Chat
  readonly client: Client
  readonly username: string
  /** The username of the person in the other pane. */
  readonly other: () => string | undefined
  readonly onSwitch: () => void
  readonly onError: (error: unknown) => void
}

export interface RoomSwitch {
  /** The room that the pane shows; empty for the messages to all users. */
  readonly current: string
  /** Counts an entry that the pane does not show now. */
  countUnread(room: string): void
  close(): void
}

export function createRoomSwitch(options: RoomSwitchOptions): RoomSwitch {
  const { root, chat, client, username, onSwitch, onError } = options
  const find = <Type extends HTMLElement>(selector: string) => root.querySelector(selector) as Type
  const select = find<HTMLSelectElement>('.room')
  const details = find<HTMLDetailsElement>('details')
  const createForm = find<HTMLFormElement>('.create')
  const nameInput = find<HTMLInputElement>('.create input')
  const joinForm = find<HTMLFormElement>('.join')
  const joinSelect = find<HTMLSelectElement>('.join select')
  const leaveButton = find<HTMLButtonElement>('.leave')
  const unread = new Map<string, number>()
  let current = everyone
  /** The room to show as soon as the chat knows it. */
  let wanted: string | undefined

  select.setAttribute('aria-label', `Room that ${username} sees`)
  nameInput.setAttribute('aria-label', `Name of a new room of ${username}`)
  joinSelect.setAttribute('aria-label', `Public room for ${username} to join`)

  const option = (value: string, text: string) => {
    const created = element('option', { text })
    created.value = value
    return created
  }

  function render(): void {
    const rooms = [[everyone, 'Everyone'], ...[...chat.rooms.values()].map(({ id, name }) => [id, name])]
    const options = rooms.map(([id = everyone, name = '']) => {
      const count = unread.get(id) ?? 0
      return option(id, count > 0 ? `${name} (${count} new)` : name)
    })
    select.replaceChildren(...options)
    select.value = current
    leaveButton.disabled = current === everyone
  }

  function show(room: string): void {
    current = room
    unread.delete(room)
    render()
    onSwitch()
  }

  function follow(): void {
    if (wanted !== undefined && chat.rooms.has(wanted)) {
      const room = wanted
      wanted = undefined
      show(room)
    } else if (current !== everyone && !chat.rooms.has(current)) show(everyone)
    else render()
    if (details.open) void listPublicRooms()
  }

  async function listPublicRooms(): Promise<void> {
    const chosen = joinSelect.value
    const found: HTMLOptionElement[] = []
    try {
      for await (const page of client.rooms({ scope: 'public' })) {
        for (const { id, name } of page) if (!chat.rooms.has(id)) found.push(option(id, name))
      }
    } catch (error) {
      onError(error)
    }
    joinSelect.replaceChildren(
      option('', found.length > 0 ? 'Choose a public room' : 'No public room'),
      ...found,
    )
    if (found.some(({ value }) => value === chosen)) joinSelect.value = chosen
  }

  /** Runs an action that results in the id of a room, and shows this room. */
  async function enter(action: () => Promise<string>): Promise<void> {
    try {
      wanted = await action()
      follow()
    } catch (error) {
      onError(error)
    }
  }

  select.addEventListener('change', () => show(select.value))
  details.addEventListener('toggle', () => details.open && void listPublicRooms())
  joinSelect.addEventListener('focus', () => void listPublicRooms())
  createForm.addEventListener('submit', (event) => {
    event.preventDefault()
    const name = nameInput.value
    nameInput.value = ''
    void enter(async () => (await client.createRoom({ name, public: true })).room.id)
  })
  joinForm.addEventListener('submit', (event) => {
    event.preventDefault()
    const room = joinSelect.value
    void enter(async () => {
      await client.setMember({ room, username })
      return room
    })
  })
  find('.direct').addEventListener('click', () => {
    const other = options.other()
    if (other) void enter(async () => (await client.openDirectRoom({ username: other })).room.id)
  })
  leaveButton.addEventListener('click', () => {
    client.removeMember({ room: current, username }).catch(onError)
  })

  const off = chat.on('rooms', follow)
  render()
  return {
    get current() {
      return current
    },
    countUnread(room) {
      unread.set(room, (unread.get(room) ?? 0) + 1)
      render()
    },
    close: off,
  }
}
