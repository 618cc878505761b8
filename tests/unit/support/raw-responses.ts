import { connect } from 'node:net'
import type { Service } from './service.ts'

/** A request that must be answered waits this long. Nothing asserts it. */
const patientMs = 10_000

export interface RawResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Sends bytes, and returns the responses that arrive until the connection closes or stays quiet. */
export async function sendRaw(url: string, request: string, maxQuietMs = patientMs): Promise<RawResponse[]> {
  const { hostname, port } = new URL(url)
  const text = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(Buffer.from(request, 'latin1'))
    })
    socket.setTimeout(maxQuietMs, () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
  return parseResponses(text, request.startsWith('HEAD'))
}

/** @throws Error if the text is not a sequence of well-formed responses */
function parseResponses(text: string, isHead: boolean): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = text
  while (rest !== '') {
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/.exec(rest)
    if (!match) throw new Error(`Not a response: ${JSON.stringify(rest.slice(0, 200))}`)
    const [whole, status, lines = ''] = match
    const headers = new Headers(
      lines
        .split('\r\n')
        .filter(Boolean)
        .map((line): [string, string] => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon), line.slice(colon + 1).trim()]
        }),
    )
    const length = isHead ? 0 : Number(headers.get('content-length') ?? 0)
    const body = rest.slice(whole.length, whole.length + length)
    if (body.length !== length) throw new Error(`Truncated: ${JSON.stringify(rest.slice(0, 200))}`)
    responses.push({ status: Number(status), headers, body })
    rest = rest.slice(whole.length + length)
  }
  return responses
}

export const requestText = (
  method: string,
  target: string,
  headers: readonly string[] = [],
  version = '1.1',
) => [`${method} ${target} HTTP/${version}`, ...headers, 'Connection: close', '', ''].join('\r\n')

/** Quotas that a suite of many requests does not use up, so that the limits stay on. */
export const largeQuotas = {
  RATE_LIMITS: 'on',
  RATE_LIMIT_READ: '100000/60',
  RATE_LIMIT_CONNECT: '100000/60',
}

/** The lines of the log about failures. Requests with `X-Forwarded-For` are warned of once. */
export const failedLines = ({ lines }: Service) =>
  lines.filter((line) => JSON.parse(line).level >= 40 && !line.includes('X-Forwarded-For'))
