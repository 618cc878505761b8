import type { Random } from '../faults/random.ts'
import type { PostgresServer } from '../fixtures/postgres-server.ts'
import type { LoadVerdict } from './load.ts'

export interface Context {
  readonly postgres: PostgresServer
  readonly random: Random
}

/** One kind of fault. A round starts a new cluster on an empty database. */
export interface Scenario {
  readonly title: string
  readonly rounds: number
  /** With `--quick`; 0 if the scenario takes too long for it. */
  readonly quickRounds: number
  readonly needsRedis?: boolean
  readonly run: (context: Context) => Promise<LoadVerdict>
}
