import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where the server is, for messages: without the user and the password. */
export function describeRedis(url: string): string {
  const { hostname, port } = new URL(url)
  return `${hostname}:${port || '6379'}`
}

const probeTimeoutMs = 1000
const maxReasonLength = 200

/** A command in Redis' protocol. */
const encode = (...words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

function greeting({ username, password, pathname }: URL): string {
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)]
  const login = user !== '' ? encode('AUTH', user, secret) : secret !== '' ? encode('AUTH', secret) : ''
  const database = pathname.slice(1)
  return login + (database === '' ? '' : encode('SELECT', database)) + encode('PING')
}

/** The first error in the responses of the server, or undefined. */
const errorIn = (responses: string) => /^-(.*)$/m.exec(responses)?.[1]?.trim().slice(0, maxReasonLength)

/** Connects without Bun's client, which closes a connection without naming the reason. */
function probe(url: string): Promise<string> {
  const parsed = new URL(url)
  const { promise, resolve } = Promise.withResolvers<string>()
  const target = { host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(parsed.port || 6379) }
  const servername = isIP(target.host) ? {} : { servername: target.host }
  const isTls = parsed.protocol === 'rediss:'
  const socket = isTls ? connectTls({ ...target, ...servername }) : connect(target)
  let opened = false
  let received = ''
  socket.setTimeout(probeTimeoutMs, () => resolve('does not respond'))
  socket.on(isTls ? 'secureConnect' : 'connect', () => {
    opened = true
    socket.write(greeting(parsed))
  })
  socket.on('data', (data) => {
    received += data
    const error = errorIn(received)
    if (error !== undefined) resolve(`refuses the connection: ${error}`)
    else if (received.includes('+PONG')) resolve('has closed the connection')
  })
  socket.on('error', ({ message }) =>
    resolve(`${opened ? 'has closed the connection' : 'cannot be reached'}: ${message}`),
  )
  socket.on('close', () => resolve('has closed the connection'))
  return promise.finally(() => socket.destroy())
}

/** Why the connection to the server was lost or could not be opened, for the operator. */
export async function explainFailure(url: string, error: unknown): Promise<string> {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string }
  const server = `the Redis server at ${describeRedis(url)}`
  const isClosed = code === 'ERR_REDIS_CONNECTION_CLOSED'
  return isClosed ? `${server} ${await probe(url)}` : `${server}: ${message.slice(0, maxReasonLength)}`
}
