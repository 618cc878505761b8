import { describe, expect, spyOn, test } from 'bun:test'
import { type ChatSocket, createConnection } from '../../../src/chats/connection.ts'
import { startConnectionSweep } from '../../../src/chats/connection-sweep.ts'
import { createConnections } from '../../../src/chats/connections.ts'
import { systemClock } from '../../../src/clock.ts'
import { closeAfterSeconds, pingAfterSeconds } from '../../../src/contract/frames.ts'
import type { Identity } from '../../../src/http/gate.ts'
import { createMemoryUserSlots } from '../../../src/limits/user-slots.memory.ts'
import { connect } from '../support/chat-client.ts'
import { startService } from '../support/service.ts'

const openConnections = (maxSockets: number, maxSocketsPerUser: number) =>
  createConnections({ maxSockets, userSlots: createMemoryUserSlots(maxSocketsPerUser) })
const userOf = (name: string) => ({ id: name, username: name })

function createSocket(name = 'someone') {
  const closed: [number, string][] = []
  const calls = { pings: 0, terminated: 0 }
  const identity = { user: userOf(name), expiresAt: Number.POSITIVE_INFINITY } as Identity
  const socket = {
    data: createConnection(identity, {}),
    close: (code: number, reason: string) => void closed.push([code, reason]),
    ping: () => void calls.pings++,
    terminate: () => void calls.terminated++,
  }
  return { socket: socket as unknown as ChatSocket, closed, calls }
}

describe('the messages that a client sent before disconnect', () => {
  test('are stored, and the client receives them before the connection closes', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`)
    for (const message of texts) client.send({ message })
    client.send({ event: 'disconnect' })
    client.send({ message: 'after disconnect' })
    expect(await client.closed).toEqual({ code: 1000, reason: 'disconnected' })
    expect(client.received().map(({ message }) => message)).toEqual(texts)
    const { messages } = (await (await service.get('/api/chats/messages', token)).json()) as {
      messages: { message: string }[]
    }
    expect(messages.map(({ message }) => message)).toEqual(texts)
  })

  test('receive their error frames before the connection closes', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send({ message: 'one', idempotencyKey: 'key' })
    client.send({ message: 'two', idempotencyKey: 'key' })
    client.send({ event: 'disconnect' })
    await client.closed
    expect(client.received().map(({ event }) => event)).toEqual(['message', 'error'])
  })
})

describe('a connection with pending frames', () => {
  test('closes after the last of them, with the first reason', () => {
    const connections = openConnections(3, 2)
    const { socket, closed } = createSocket()
    connections.startPending(socket)
    connections.startPending(socket)
    connections.closeAfterPending(socket, 'restart')
    connections.closeAfterPending(socket, 'token-expired')
    connections.endPending(socket)
    expect(closed).toEqual([])
    connections.endPending(socket)
    expect(closed).toEqual([[1012, 'service-restart']])
  })

  test('is not closed by the end of a frame if nothing asked for it', () => {
    const connections = openConnections(3, 2)
    const { socket, closed } = createSocket()
    connections.startPending(socket)
    connections.endPending(socket)
    expect(closed).toEqual([])
  })
})

describe('a slot', () => {
  const acquireAll = (connections: ReturnType<typeof createConnections>, name: string) => {
    let acquired = 0
    try {
      for (; acquired < 10; acquired++) connections.acquireSlot(userOf(name))
    } catch {
      return acquired
    }
    return acquired
  }

  test('is released when its connection is removed, for its user and for the server', () => {
    const connections = openConnections(3, 2)
    const { socket } = createSocket('user-a')
    expect(acquireAll(connections, 'user-a')).toBe(2)
    expect(acquireAll(connections, 'user-b')).toBe(1)
    connections.add(socket)
    connections.remove(socket)
    expect(connections.size).toBe(0)
    expect(acquireAll(connections, 'user-a')).toBe(1)
    expect(acquireAll(connections, 'user-b')).toBe(0)
  })

  test('of a failed handshake is released', () => {
    const connections = openConnections(1, 1)
    for (let i = 0; i < 3; i++) {
      expect(acquireAll(connections, 'user-a')).toBe(1)
      connections.releaseSlot(userOf('user-a'))
    }
  })
})

describe('a client that is silent', () => {
  /** Runs a sweep at each of these seconds of silence. */
  function sweepAt(seconds: readonly number[], hear?: (socket: ChatSocket, second: number) => void) {
    let now = 1_000_000
    const clock = spyOn(systemClock, 'monotonicMs').mockImplementation(() => now)
    let sweep = () => {}
    const timer = spyOn(globalThis, 'setInterval').mockImplementation(((run: () => void) => {
      sweep = run
      return 0
    }) as never)
    try {
      const { socket, calls } = createSocket()
      const { stop } = startConnectionSweep({
        connections: { values: () => [socket][Symbol.iterator](), closeAfterPending() {} } as never,
        authenticator: { validate: () => 'valid', accountsVersion: () => 1 },
        onError() {},
      })
      const pings = seconds.map((second) => {
        now = 1_000_000 + second * 1000
        hear?.(socket, second)
        sweep()
        return calls.pings
      })
      stop()
      return { pings, terminated: calls.terminated }
    } finally {
      clock.mockRestore()
      timer.mockRestore()
    }
  }

  test('is pinged after the documented time, and once more after the same time', () => {
    const after = pingAfterSeconds
    const { pings, terminated } = sweepAt([1, after - 1, after, after + 1, 2 * after - 1, 2 * after])
    expect(pings).toEqual([0, 0, 1, 1, 1, 2])
    expect(terminated).toBe(0)
  })

  test('is disconnected after the documented time, and not a second earlier', () => {
    expect(sweepAt([closeAfterSeconds - 1]).terminated).toBe(0)
    expect(sweepAt([closeAfterSeconds]).terminated).toBe(1)
  })

  test('stays connected if it has sent something in between', () => {
    const hear = (socket: ChatSocket, second: number) => {
      if (second % 10 === 0) socket.data.heardAt = 1000 + second
    }
    const seconds = Array.from({ length: 3 * closeAfterSeconds }, (_, second) => second)
    expect(sweepAt(seconds, hear)).toEqual({ pings: seconds.map(() => 0), terminated: 0 })
  })
})
