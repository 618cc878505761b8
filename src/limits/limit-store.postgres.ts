import type { SQL } from 'bun'
import type { Pool } from '../storage/postgres/pool.ts'
import { type LimitStore, nodeLifetimeSeconds } from './limit-store.ts'

interface PostgresLimitStoreOptions {
  /** One connection for limits only, so that they do not wait for other statements. */
  readonly pool: Pool
  /** Seconds with fractions. By default, the clock of the database server. */
  readonly now?: () => number
}

interface PostgresLimitStore extends LimitStore {
  /** Deletes windows that have ended, and nodes that ended long ago. */
  prune(): Promise<void>
}

/** The statement takes 10 ms for a thousand keys, so it is not made as often as with Redis. */
const batchIntervalMs = 100

/** A node that was frozen for this long may still repeat its last batch. */
const nodeMemorySeconds = 600

/** Deletes in steps, so that no statement of another node waits for long. */
const pruneLimit = 10_000

const rows = <Row>(sql: SQL, text: string, parameters: readonly unknown[]): Promise<Row[]> =>
  sql.unsafe(text, [...parameters]) as unknown as Promise<Row[]>

interface StateRow {
  readonly o_known: boolean
  readonly o_nodes: number
}

/** The limit store in unlogged tables of PostgreSQL. */
export function createPostgresLimitStore({ pool, now }: PostgresLimitStoreOptions): PostgresLimitStore {
  const session = crypto.randomUUID()
  const time = () => now?.() ?? null

  async function call<Row extends StateRow>(text: string, parameters: readonly unknown[]) {
    const [row] = await pool.attempt(({ $client }) => rows<Row>($client, text, parameters))
    if (!row) throw new Error('A function of the limits returned nothing')
    return { row, state: { known: row.o_known, nodes: row.o_nodes } }
  }

  return {
    name: 'PostgreSQL',
    batchIntervalMs,
    async count(batch, deltas) {
      const { row, state } = await call<
        StateRow & {
          readonly o_totals: readonly number[] | null
          readonly o_seconds: readonly number[] | null
        }
      >(
        'select * from parley.count_requests($1, $2::bigint, $3::float8, $4::float8, $5::text[], $6::int[], $7::float8[])',
        [
          session,
          batch,
          time(),
          nodeLifetimeSeconds,
          deltas.map(({ key }) => key),
          deltas.map(({ count }) => count),
          deltas.map(({ seconds }) => seconds),
        ],
      )
      const seconds = row.o_seconds ?? []
      const totals = Array.from(row.o_totals ?? [], (total, index) => ({
        total: Number(total),
        seconds: Number(seconds[index]),
      }))
      return { ...state, totals }
    },
    async hold(claims, limit) {
      const { row, state } = await call<StateRow & { readonly o_granted: readonly number[] }>(
        'select * from parley.hold_sockets($1, $2::float8, $3::float8, $4::int, $5::text[], $6::int[], $7::int[])',
        [
          session,
          time(),
          nodeLifetimeSeconds,
          limit,
          claims.map(({ key }) => key),
          claims.map(({ held }) => held),
          claims.map(({ wanted }) => wanted),
        ],
      )
      return { ...state, granted: Array.from(row.o_granted, Number) }
    },
    async beat() {
      const { state } = await call<StateRow>(
        `select * from parley.see_limit_node(
          $1, coalesce($2::float8, extract(epoch from clock_timestamp())::float8), $3::float8)`,
        [session, time(), nodeLifetimeSeconds],
      )
      return state
    },
    async leave() {
      await pool.attempt(({ $client }) =>
        rows(
          $client,
          `with node as (delete from parley.limit_nodes where session = $1)
           delete from parley.socket_counts where session = $1`,
          [session],
        ),
      )
    },
    async prune() {
      await pool.write(({ $client }) =>
        rows(
          $client,
          `with moment as (select coalesce($1::float8, extract(epoch from clock_timestamp())::float8) as at),
           counts as (
             delete from parley.request_counts where key in (
               select key from parley.request_counts where expires_at <= (select at from moment)
               order by key limit $2::int for update skip locked)
           ), nodes as (
             delete from parley.limit_nodes where session in (
               select session from parley.limit_nodes where seen_at <= (select at from moment) - $3::float8
               for update skip locked)
           )
           delete from parley.socket_counts c
           where not exists (select 1 from parley.limit_nodes n where n.session = c.session)`,
          [time(), pruneLimit, nodeMemorySeconds],
        ),
      )
    },
  }
}
