import { type LimitStore, type NodeState, nodeLifetimeSeconds } from '../../../src/limits/limit-store.ts'

interface Node {
  batch: number
  seenAt: number
  readonly held: Map<string, number>
}

/** How a call goes. A lost response means that the call had its effect. */
export type CallOutcome = 'answered' | 'lost request' | 'lost response'

/** A limit store in the memory of the tests, which fails when a test wants it to. It is also the model of the others. */
export function createLimitStoreModel(now: () => number) {
  const counters = new Map<string, { total: number; expiresAt: number }>()
  const nodes = new Map<string, Node>()
  let sessions = 0
  let outcome: (node: string) => CallOutcome = () => 'answered'
  const calls: string[] = []

  const isRunning = ({ seenAt }: Node) => seenAt > now() - nodeLifetimeSeconds

  function see(session: string): NodeState {
    const node = nodes.get(session)
    if (node) node.seenAt = now()
    else nodes.set(session, { batch: 0, seenAt: now(), held: new Map() })
    return { known: node !== undefined, nodes: [...nodes.values()].filter(isRunning).length }
  }

  /** Delivers the result of a call in a later macrotask, as a server does. */
  async function call<Result>(session: string, name: string, effect: () => Result): Promise<Result> {
    calls.push(name)
    const decided = outcome(session)
    const result = decided === 'lost request' ? undefined : effect()
    await new Promise((resolve) => setImmediate(resolve))
    if (decided !== 'answered') throw new Error(decided)
    return result as Result
  }

  return {
    calls,
    /** Decides how the next calls go. */
    let(decide: (node: string) => CallOutcome): void {
      outcome = decide
    },
    /** Loses all data. */
    flush(): void {
      counters.clear()
      nodes.clear()
    },
    totals: () => [...counters.values()].map(({ total }) => total),
    keys: () => [...counters.keys()],
    /** Opens the store of one node: `node 1`, `node 2` and so on. */
    connect(): LimitStore {
      const session = `node ${++sessions}`
      return {
        name: 'The model',
        batchIntervalMs: 5,
        count: (batch, deltas) =>
          call(session, 'count', () => {
            const state = see(session)
            const node = nodes.get(session) as Node
            const isNew = batch > node.batch
            if (isNew) node.batch = batch
            const totals = deltas.map(({ key, count, seconds }) => {
              const counter = counters.get(key)
              const lasting = counter && counter.expiresAt > now() ? counter : undefined
              const next = lasting ?? { total: 0, expiresAt: now() + seconds }
              counters.set(key, next)
              if (isNew) next.total += count
              return { total: next.total, seconds: next.expiresAt - now() }
            })
            return { ...state, totals }
          }),
        hold: (claims, limit) =>
          call(session, 'hold', () => {
            const state = see(session)
            const granted = claims.map(({ key, held, wanted }) => {
              let others = 0
              for (const [name, node] of nodes) {
                if (name !== session && isRunning(node)) others += node.held.get(key) ?? 0
              }
              const count = Math.max(held, Math.min(wanted, limit - others))
              nodes.get(session)?.held.set(key, count)
              return count
            })
            return { ...state, granted }
          }),
        beat: () => call(session, 'beat', () => see(session)),
        leave: () => call(session, 'leave', () => void nodes.delete(session)),
      }
    },
  }
}
