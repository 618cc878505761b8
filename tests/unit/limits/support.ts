import { LimitsNotShared } from '../../../src/limits/limit-store.ts'
import type { Count, RateLimiter } from '../../../src/limits/rate-limits.ts'
import { openSharedLimits } from '../../../src/limits/shared-limits.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'
import { createLimitStoreModel } from '../../storage/support/limit-store-model.ts'

/** The first contact of a node is `node 1` in the model, and so on. */
export interface LimitsNode {
  /** Counts one request of `client`. */
  count(client?: string): MaybePromise<Count>
  acquire(user?: string): MaybePromise<boolean>
  release(user?: string): void
  /** The errors that were reported, and `recovered`. */
  readonly reports: string[]
  close(): Promise<void>
}

interface NodesOptions {
  readonly quota?: number
  readonly window?: number
  readonly maxSocketsPerUser?: number
}

/** Nodes that share their limits in a store of the tests. Time passes only when a test says so. */
export async function openLimitsNodes(
  count: number,
  { quota = 120, window = 60, maxSocketsPerUser = 10 }: NodesOptions = {},
) {
  let time = 1_800_000_000
  const now = () => time
  const model = createLimitStoreModel(now)
  const nodes: LimitsNode[] = []

  async function join(): Promise<LimitsNode> {
    const reports: string[] = []
    const limits = await openSharedLimits({
      store: model.connect(),
      secret: new Uint8Array(32),
      rateLimits: true,
      rateLimitOverrides: {},
      maxSocketsPerUser,
      onError: (error) => reports.push(error instanceof LimitsNotShared ? 'not shared' : String(error)),
      onLimitsShared: () => reports.push('shared'),
      now,
      beatMs: 20,
      retryMs: 2,
    })
    const limiter = limits.rateLimits.limiter({
      policy: 'test',
      quota,
      window,
      partition: 'ip',
    }) as RateLimiter
    const node: LimitsNode = {
      count: (client = 'client') => limiter.count(limits.rateLimits.key(client), Math.floor(time)),
      acquire: (user = 'user') => limits.userSlots.acquire(user),
      release: (user = 'user') => limits.userSlots.release(user),
      reports,
      close: limits.close,
    }
    nodes.push(node)
    return node
  }

  for (let index = 0; index < count; index++) await join()
  return {
    model,
    nodes,
    node: (index: number) => nodes[index] as LimitsNode,
    pass(seconds: number): void {
      time += seconds
    },
    /** Resolves when the store has confirmed what the nodes have counted. */
    async settle(): Promise<void> {
      await Bun.sleep(30)
    },
    async [Symbol.asyncDispose]() {
      model.let(() => 'answered')
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}

/** The number of admitted requests. */
export async function admitted(counts: readonly MaybePromise<Count>[]): Promise<number> {
  return (await Promise.all(counts)).filter(({ exceeded }) => !exceeded).length
}
