import { forEachName } from '../../fixtures/for-each-name.ts'
import { connect } from './chat-client.ts'
import { bearer, type Service, startService } from './service.ts'

export interface RoomBody {
  readonly id: string
  readonly name: string
  readonly public: boolean
  readonly history: string
  readonly direct: boolean
}

interface ResponseBody {
  readonly code?: string
  readonly room: RoomBody
  readonly rooms: RoomBody[]
  readonly members: { user: { id: string; username: string }; role: string }[]
  readonly member: { user: { username: string }; role: string }
  readonly messages: { id: string; message: string; room?: string }[]
  readonly count: number
  readonly next: string | null
  readonly head: string
}

/** The calls and connections of one user. */
export function createRoomUser(service: Pick<Service, 'url'>, username: string, token: string, id: string) {
  async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(service.url + path, {
      method,
      headers: { ...bearer(token), ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      text,
      body: JSON.parse(text) as ResponseBody,
      headers: response.headers,
    }
  }
  return {
    username,
    token,
    id,
    call,
    /** Creates a room and returns its id. */
    async create(room: object): Promise<string> {
      const { status, body } = await call('POST', '/api/rooms', { name: 'Room', ...room })
      if (status !== 201) throw new Error(`The room was not created: ${body.code}`)
      return body.room.id
    },
    send: (message: string, room?: string, headers?: Record<string, string>) =>
      call('POST', '/api/chats/send', { message, ...(room !== undefined && { room }) }, headers),
    add: (room: string, name: string, role?: string) =>
      call('PUT', `/api/rooms/${room}/members/${name}`, role === undefined ? {} : { role }),
    remove: (room: string, name: string) => call('DELETE', `/api/rooms/${room}/members/${name}`),
    join: (room: string) => call('PUT', `/api/rooms/${room}/members/${username}`, {}),
    leave: (room: string) => call('DELETE', `/api/rooms/${room}/members/${username}`),
    connect: (query = '?rooms=mine') => connect(service.url, token, { path: `/${query}` }),
  }
}

export type RoomUser = ReturnType<typeof createRoomUser>

/** Starts the service, with functions that add users. */
export async function startRoomService(environment: Readonly<Record<string, string>> = {}) {
  const service = await startService(environment)

  async function user(username: string): Promise<RoomUser> {
    const { user: account, token } = await service.account(username)
    return createRoomUser(service, username, token, account.id)
  }

  return {
    ...service,
    user,
    users: <Names extends string[]>(...names: Names) => forEachName(names, user),
    [Symbol.asyncDispose]: service[Symbol.asyncDispose],
  }
}
