import type { Node } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'
import { underLoad } from './under-load.ts'

/** The part of the sessions of a node, or of all nodes, that the pattern matches is frozen for some time. */
async function freeze(pids: readonly number[], ms: number): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, name)
      } catch {
        // The session has ended.
      }
    }
  }
  signal('SIGSTOP')
  try {
    await Bun.sleep(ms)
  } finally {
    signal('SIGCONT')
  }
}

const nodeKilled = underLoad(
  'a node is killed, and another one joins',
  async ({ nodes, kill, join }, { random }) => {
    await kill(random.pick(nodes))
    await Bun.sleep(random.between(0, 500))
    await join()
  },
)

const restartOfAll = underLoad(
  'all nodes are restarted, one after the other',
  async ({ nodes, stop, join }) => {
    for (const node of [...nodes]) {
      await stop(node)
      await join()
    }
  },
)

const databaseKilled = underLoad(
  'PostgreSQL is killed and starts again',
  async ({ postgres }, { random }) => {
    await postgres.kill()
    await Bun.sleep(random.between(0, 1000))
    await postgres.start()
  },
)

const databaseFrozen = underLoad('PostgreSQL is frozen for 3 s', async ({ postgres }) => {
  await freeze(await postgres.processes(), 3000)
})

const appendsFrozen = underLoad('the sessions that append are frozen', async ({ postgres }, { random }) => {
  const pids = await postgres.sessions('^parley appends$')
  await freeze([random.pick(pids)], random.between(1000, 5000))
})

const connectionsCut = underLoad(
  'connections are cut again and again',
  async ({ nodes, postgres }, { random }) => {
    for (let i = 0; i < 6; i++) {
      random.pick(nodes).proxy.cut()
      await Bun.sleep(random.between(50, 300))
      await postgres.query(
        'postgres',
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^parley'",
      )
      await Bun.sleep(random.between(50, 300))
    }
  },
)

const responsesLost = underLoad('responses of the database are lost', async ({ nodes }, { random }) => {
  for (const { proxy } of nodes) {
    const choices = random.branch()
    proxy.loseResponses(() => choices.percent(5))
  }
  await Bun.sleep(3000)
  for (const { proxy } of nodes) proxy.loseResponses(undefined)
})

const deafNode = underLoad('no node receives notifications for 5 s', async ({ postgres }) => {
  await freeze(await postgres.sessions('^parley listen$'), 5000)
})

const joining = underLoad('nodes join under load', async ({ join }) => {
  const joined: Node[] = []
  for (let i = 0; i < 2; i++) joined.push(await join())
})

export const faults: readonly Scenario[] = [
  nodeKilled,
  restartOfAll,
  databaseKilled,
  databaseFrozen,
  appendsFrozen,
  connectionsCut,
  responsesLost,
  deafNode,
  joining,
]
