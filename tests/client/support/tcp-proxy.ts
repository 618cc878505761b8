import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy whose connections can be cut, or made to swallow everything. `await using` stops it. */
export async function startProxy(port: number) {
  const pairs = new Set<{ client: Socket; server: Socket; silent: boolean }>()
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    const pair = { client, server, silent: false }
    pairs.add(pair)
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (data) => {
        if (!pair.silent) to.write(data)
      })
      from.on('error', () => {})
      from.on('close', () => {
        if (pair.silent) return
        pairs.delete(pair)
        to.destroy()
      })
    }
    forward(client, server)
    forward(server, client)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address() as { port: number }

  return {
    url: `http://127.0.0.1:${address.port}`,
    /** Ends open connections without a close frame. */
    cut(share = 1) {
      for (const { client, server } of [...pairs]) {
        if (Math.random() >= share) continue
        client.resetAndDestroy()
        server.destroy()
      }
    },
    /** Forwards nothing on the open connections any more, without closing them. */
    silence() {
      for (const pair of pairs) pair.silent = true
    },
    async [Symbol.asyncDispose]() {
      for (const { client, server } of pairs) {
        client.destroy()
        server.destroy()
      }
      await new Promise<void>((resolve) => proxy.close(() => resolve()))
    },
  }
}
