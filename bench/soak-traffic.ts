// The traffic of a soak: clients that read, send, log in, connect, resume and break off, until `finish` is called.

import { Database } from 'bun:sqlite'
import { password } from './parley.ts'

interface TrafficOptions {
  /** The port of the running server. Undefined while it is down. */
  port: () => number | undefined
  tokens: readonly string[]
}

const senders = 8
const readers = 4
const sockets = 100
const pauseMs = 10
/** Each socket is cut off after a random time up to this one, without a close frame. */
const maxSocketMs = 4_000
const loginEveryMs = 500
const requestTimeoutMs = 10_000
const retryMs = 50

export function startTraffic({ port, tokens }: TrafficOptions) {
  const counts = { sends: 0, reads: 0, logins: 0, connections: 0, 'frames received': 0, 'failed requests': 0 }
  const acknowledged = new Set<string>()
  const findings: string[] = []
  let stopped = false
  const token = (index: number) => tokens[index % tokens.length] as string

  /** Undefined if there was no response, as while the server is down. */
  async function request(path: string, init: RequestInit & { token?: string }): Promise<number | undefined> {
    const headers = {
      'content-type': 'application/json',
      ...(init.token !== undefined && { authorization: `Bearer ${init.token}` }),
      ...(init.headers as Record<string, string>),
    }
    try {
      const url = `http://127.0.0.1:${port() ?? 1}${path}`
      const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(requestTimeoutMs) })
      await response.arrayBuffer()
      return response.status
    } catch {
      counts['failed requests'] += 1
      return undefined
    }
  }

  /** Repeats each message with its key until it is acknowledged. */
  async function runSender(sender: number) {
    for (let number = 0; !stopped; number += 1) {
      const text = `sender ${sender} message ${number}`
      const init = {
        method: 'POST',
        token: token(sender),
        headers: { 'idempotency-key': `"${sender}-${number}"` },
        body: JSON.stringify({ message: text }),
      }
      for (;;) {
        const status = await request('/api/chats/send', init)
        if (status === 200) break
        if (status !== undefined && status < 500) findings.push(`A send was refused with ${status}.`)
        if (stopped) return
        await Bun.sleep(retryMs)
      }
      acknowledged.add(text)
      counts.sends += 1
      await Bun.sleep(pauseMs)
    }
  }

  async function runReader(reader: number) {
    while (!stopped) {
      const path = counts.reads % 2 === 0 ? '/api/users/profile' : '/api/chats/messages?limit=20'
      const status = await request(path, { token: token(reader) })
      if (status === 200) counts.reads += 1
      else if (status !== undefined && status < 500) findings.push(`A read was refused with ${status}.`)
      await Bun.sleep(pauseMs)
    }
  }

  async function runLogins() {
    while (!stopped) {
      const body = JSON.stringify({ username: 'bench.user-0', password })
      if ((await request('/api/auth/login', { method: 'POST', body })) === 200) counts.logins += 1
      await Bun.sleep(loginEveryMs)
    }
  }

  /** Connects again and again, and resumes after the last message that it has received. */
  async function runSocket(index: number) {
    let after: string | undefined
    while (!stopped) {
      const query = after === undefined ? '' : `?after=${after}`
      const socket = new WebSocket(`ws://127.0.0.1:${port() ?? 1}/${query}`, {
        headers: { authorization: `Bearer ${token(index)}` },
      })
      const closed = Promise.withResolvers<void>()
      socket.onopen = () => {
        counts.connections += 1
      }
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(String(data)) as { event: string; id: string }
        if (frame.event === 'gap') findings.push('A client that resumed was told of a gap.')
        if (frame.event !== 'message') return
        if (after !== undefined && frame.id <= after) findings.push('A client received a message twice.')
        after = frame.id
        counts['frames received'] += 1
      }
      socket.onclose = () => closed.resolve()
      await Promise.race([closed.promise, Bun.sleep(Math.random() * maxSocketMs)])
      socket.terminate()
      await Bun.sleep(retryMs)
    }
  }

  const running = [
    ...Array.from({ length: senders }, (_, index) => runSender(index)),
    ...Array.from({ length: readers }, (_, index) => runReader(index)),
    ...Array.from({ length: sockets }, (_, index) => runSocket(index)),
    runLogins(),
  ]
  return {
    describe: () =>
      Object.entries(counts)
        .map(([name, count]) => `${count} ${name}`)
        .join(', '),
    /** Stops the traffic and compares what was acknowledged with what is stored. */
    async finish(databaseFile: string) {
      stopped = true
      await Promise.all(running)
      findings.push(...compareWithStored(databaseFile, acknowledged))
      // Each kind once: a fault usually happens many times.
      return { ...counts, acknowledged: acknowledged.size, findings: [...new Set(findings)] }
    },
  }
}

export function compareWithStored(databaseFile: string, acknowledged: ReadonlySet<string>): string[] {
  using database = new Database(databaseFile, { readonly: true })
  const stored = new Map<string, number>()
  for (const { frame } of database.query<{ frame: string }, []>('select frame from messages').iterate()) {
    const { message } = JSON.parse(frame) as { message: string }
    stored.set(message, (stored.get(message) ?? 0) + 1)
  }
  const lost = [...acknowledged].filter((text) => !stored.has(text)).length
  const doubled = [...stored.values()].filter((count) => count > 1).length
  return [
    ...(lost > 0 ? [`${lost} acknowledged messages are lost.`] : []),
    ...(doubled > 0 ? [`${doubled} messages are stored more than once.`] : []),
  ]
}
