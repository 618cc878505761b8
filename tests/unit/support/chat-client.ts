interface Frame {
  readonly event: string
  readonly [property: string]: unknown
}

/** A chat client that buffers the frames that it receives, so that tests can read them in order. */
export interface ChatClient {
  /** Waits for the next frame. */
  next(): Promise<Frame>
  /** The frames that have arrived and that `next` has not returned. */
  received(): readonly Frame[]
  send(frame: string | object | Uint8Array): void
  readonly closed: Promise<{ code: number; reason: string }>
  close(): Promise<void>
}

interface ConnectOptions {
  readonly headers?: Record<string, string>
  readonly path?: string
}

/** Connects to the service at `url`. Rejects if the handshake is refused. */
export async function connect(
  url: string,
  token: string,
  { headers = {}, path = '/' }: ConnectOptions = {},
): Promise<ChatClient> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  } as unknown as string[])
  const frames: string[] = []
  const waiting: ((text: string) => void)[] = []
  socket.onmessage = ({ data }) => {
    const resolve = waiting.shift()
    if (resolve) resolve(String(data))
    else frames.push(String(data))
  }
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason })
  })
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve()
    socket.onerror = () => reject(new Error('The handshake was refused'))
  })
  return {
    async next() {
      const text = frames.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)))
      return JSON.parse(text)
    },
    received: () => frames.map((text) => JSON.parse(text) as Frame),
    send(frame) {
      const isText = typeof frame === 'string' || frame instanceof Uint8Array
      socket.send(isText ? (frame as string) : JSON.stringify(frame))
    },
    closed,
    async close() {
      socket.close()
      await closed
    },
  }
}
