import { generateSecret } from '../../src/auth/secrets.ts'
import { type Server, startServer } from '../faults/server.ts'
import type { PostgresServer } from '../fixtures/postgres-server.ts'
import { startTcpProxy, type TcpProxy } from '../fixtures/tcp-proxy.ts'

export interface Node extends Server {
  readonly name: string
  /** Between this node and the database. */
  readonly proxy: TcpProxy
}

export interface Cluster extends AsyncDisposable {
  readonly postgres: PostgresServer
  readonly database: string
  /** The nodes that are running. */
  readonly nodes: readonly Node[]
  /** Starts a node. It joins the cluster when it listens. @param port any free one by default */
  join(port?: number): Promise<Node>
  /** Kills a node with SIGKILL. */
  kill(node: Node): Promise<void>
  /** Stops a node with SIGTERM, as a restart does. */
  stop(node: Node): Promise<void>
  /** Stops a node and starts another one on its port. */
  restart(node: Node): Promise<void>
}

const nodeCount = 3

type Environment = Readonly<Record<string, string>>

export const noLimits: Environment = { RATE_LIMITS: 'off' }

/**
 * Starts three nodes at the same time, in front of an empty database.
 *
 * @param environment settings in addition to those of all scenarios; those of a node, if it is a function
 */
export async function startCluster(
  postgres: PostgresServer,
  environment: Environment | ((number: number) => Environment) = noLimits,
): Promise<Cluster> {
  const secret = generateSecret()
  const database = await postgres.createDatabase()
  const nodes: Node[] = []
  let started = 0

  async function join(port = 0): Promise<Node> {
    const number = ++started
    const name = `node ${number}`
    const proxy = await startTcpProxy(postgres.port)
    const url = postgres.url(database).replace(`:${postgres.port}/`, `:${proxy.port}/`)
    const server = await startServer({
      dataDir: '/nonexistent/a node with DATABASE_URL needs no folder',
      environment: {
        DATABASE_URL: url,
        JWT_SECRET: secret,
        DRAIN_SECONDS: '0',
        PORT: String(port),
        ...(typeof environment === 'function' ? environment(number) : environment),
      },
    })
    const node = { ...server, name, proxy }
    nodes.push(node)
    return node
  }

  function remove(node: Node): void {
    const index = nodes.indexOf(node)
    if (index >= 0) nodes.splice(index, 1)
  }

  async function kill(node: Node): Promise<void> {
    remove(node)
    await node.kill()
    await node.proxy[Symbol.asyncDispose]()
  }

  async function stop(node: Node): Promise<void> {
    remove(node)
    node.signal('SIGTERM')
    const exitCode = await node.exited
    if (exitCode !== 0) throw new Error(`${node.name} exited with ${exitCode}:\n${node.lastLines()}`)
    await node.proxy[Symbol.asyncDispose]()
  }

  await Promise.all(Array.from({ length: nodeCount }, () => join()))
  return {
    postgres,
    database,
    nodes,
    join,
    kill,
    stop,
    async restart(node) {
      await stop(node)
      await join(Number(new URL(node.url).port))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...nodes].map(kill))
    },
  }
}
