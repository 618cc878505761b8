import { connect } from 'node:net'

export interface RawResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly text: string
}

/** Sends `parts` unchanged to the server at `url`, and reads until the response is complete or the connection closes. */
export function sendRaw(url: string, ...parts: (string | Uint8Array)[]): Promise<RawResponse> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      for (const part of parts) socket.write(part)
    })
    const finish = () => {
      socket.destroy()
      resolve(parseResponse(text))
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const { headers, body } = parseResponse(text)
      const length = headers['content-length']
      if (text.includes('\r\n\r\n') && length !== undefined && body.length >= Number(length)) finish()
    })
    socket.on('close', finish)
    socket.on('error', (error) => (text === '' ? reject(error) : finish()))
  })
}

function parseResponse(text: string): RawResponse {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, body: rest.join('\r\n\r\n'), text }
}

/** The head of a request: request line, `Host` and `headers`, and the empty line. */
export const requestHead = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>>,
) =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

/** The headers of a valid WebSocket handshake. */
export const handshakeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** Sends a WebSocket handshake that the service is expected to refuse, and returns its response. */
export const refusedHandshake = (url: string, headers: Readonly<Record<string, string>> = {}, path = '/') =>
  sendRaw(url, requestHead('GET', path, { ...handshakeHeaders, ...headers }))
