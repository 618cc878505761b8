import { connect, createServer } from 'node:net'
import type { Node } from './cluster.ts'

/** A load balancer in front of the nodes that are running: each connection goes to the next one. */
export async function startBalancer(nodes: readonly Node[]) {
  let next = 0
  const server = createServer((client) => {
    const node = nodes[next++ % nodes.length]
    const upstream = connect(Number(new URL(node?.url ?? '').port), '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // A node that is killed resets its connections.
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() }
}
