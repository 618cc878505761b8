// Starts nodes of this server on one PostgreSQL database, with Redis or without.

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { PostgresServer } from '../tests/fixtures/postgres-server.ts'
import type { Harness } from './harness.ts'
import { issueTokens, password, scriptEnvironment, serverEnvironment } from './parley.ts'
import { cpuSecondsOf, type Server, startServer } from './processes.ts'

export interface Cluster {
  nodes: Server[]
  tokens: string[]
  scriptEnvironment: Record<string, string>
  stop: () => Promise<unknown>
}

/** Starts nodes at the same time on an empty database, and registers the users. */
export async function startCluster(
  { command, folder, size }: Harness,
  postgres: PostgresServer,
  nodeCount: number,
  redisUrl?: string,
): Promise<Cluster> {
  const environment = {
    ...serverEnvironment(),
    DATABASE_URL: postgres.url(await postgres.createDatabase()),
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
  }
  const cwd = await mkdtemp(join(folder, 'cluster-'))
  const nodes = await Promise.all(
    Array.from({ length: nodeCount }, () => startServer({ command, cwd, environment, readyPath: '/readyz' })),
  )
  const users = await register(nodes[0] as Server, size.users)
  const tokens = await issueTokens(users)
  const usernames = users.map(({ username }) => username)
  return {
    nodes,
    tokens,
    scriptEnvironment: await scriptEnvironment(cwd, usernames, tokens),
    stop: () => Promise.all(nodes.map(({ stop }) => stop())),
  }
}

/** The processor time in seconds of all of PostgreSQL's processes. */
export async function postgresCpuSeconds(postgres: PostgresServer): Promise<number> {
  const seconds = (await postgres.processes()).map(cpuSecondsOf)
  return seconds.reduce((sum, each) => sum + each, 0)
}

async function register({ port }: Server, count: number) {
  const users: Array<{ id: string; username: string }> = []
  for (let index = 0; index < count; index += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: `bench.user-${index}`, password }),
    })
    if (response.status !== 201) throw new Error(`A registration failed with ${response.status}`)
    users.push(((await response.json()) as { user: { id: string; username: string } }).user)
  }
  return users
}
