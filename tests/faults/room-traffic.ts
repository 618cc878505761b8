import type { Account } from './account.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import { within } from './waiting.ts'

interface Frame {
  readonly event: string
  readonly id?: string
  readonly cursor?: string
  readonly message?: string
}

/** A client that receives rooms, and resumes after each loss of its connection. */
export class RoomClient {
  readonly account: Account
  readonly frames: string[] = []
  cursor: string | undefined
  caughtUp = false
  #socket: WebSocket | undefined

  constructor(account: Account, cursor?: string) {
    this.account = account
    this.cursor = cursor
  }

  async connect(server: Server): Promise<void> {
    const query = new URLSearchParams({ rooms: 'mine', ...(this.cursor && { after: this.cursor }) })
    const url = `${server.url.replace('http', 'ws')}/?${query}`
    const headers = { authorization: `Bearer ${this.account.token}` }
    const socket = new WebSocket(url, { headers } as unknown as string[])
    this.#socket = socket
    this.caughtUp = false
    socket.onmessage = ({ data }) => {
      // An earlier connection is still open for a moment after `close`.
      if (socket !== this.#socket) return
      const { event, id, cursor } = JSON.parse(String(data)) as Frame
      this.cursor = id ?? cursor
      if (event === 'caught-up') this.caughtUp = true
      else this.frames.push(String(data))
    }
    await within(
      10_000,
      'a client connects',
      new Promise<void>((resolve) => {
        socket.onopen = () => resolve()
        socket.onclose = () => resolve()
        socket.onerror = () => {}
      }),
    )
  }

  hasReceived = (message: string) =>
    this.frames.some((frame) => (JSON.parse(frame) as Frame).message === message)
  close = () => this.#socket?.close()
}

export async function request(
  server: Server,
  { token }: Account,
  method: string,
  path: string,
  body?: object,
) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(10_000),
    ...(body && { body: JSON.stringify(body) }),
  })
  return {
    status: response.status,
    body: (await response.json()) as { room?: { id: string }; head?: string },
  }
}

/** One random change or message. It may fail when the server is killed. @returns the text of a stored message */
export async function act(
  server: Server,
  users: readonly Account[],
  room: string,
  random: Random,
  text: string,
) {
  const [user, other] = [random.pick(users), random.pick(users)]
  const member = `/api/rooms/${room}/members/`
  if (random.percent(60)) {
    const { status } = await request(server, user, 'POST', '/api/chats/send', {
      message: text,
      ...(random.percent(80) && { room }),
    })
    return status === 200 ? text : undefined
  }
  if (random.percent(50)) await request(server, user, 'PUT', member + user.username, {})
  else if (random.percent(60)) await request(server, user, 'DELETE', member + user.username)
  else await request(server, user, 'DELETE', member + other.username)
  return undefined
}

/** The differences between what clients received with interruptions, and without any. */
function compare(resumed: readonly RoomClient[], fresh: readonly RoomClient[]): string[] {
  return resumed.flatMap((client, index) => {
    const expected = fresh[index]?.frames ?? []
    const difference = expected.findIndex((frame, at) => frame !== client.frames[at])
    if (difference === -1 && expected.length === client.frames.length) return []
    const [has, should] = [client.frames[difference], expected[difference]]
    return [`${client.account.username} received ${has} instead of ${should} at ${difference}`]
  })
}

/**
 * Compares clients that were interrupted with fresh ones, and what was stored with what the last of the clients received,
 * which is a member of all rooms.
 */
export function judge(
  resumed: readonly RoomClient[],
  fresh: readonly RoomClient[],
  stored: readonly string[],
) {
  const received = new Map<string, number>()
  for (const frame of resumed.at(-1)?.frames ?? []) {
    const { message } = JSON.parse(frame) as Frame
    if (message !== undefined) received.set(message, (received.get(message) ?? 0) + 1)
  }
  const findings = compare(resumed, fresh)
  if (stored.length < 2) findings.push('almost no messages were stored, so the scenario tested nothing')
  return {
    acknowledged: stored.length,
    lost: stored.filter((text) => !received.has(text)).length,
    duplicated: [...received.values()].filter((count) => count > 1).length,
    reordered: 0,
    findings,
  }
}
