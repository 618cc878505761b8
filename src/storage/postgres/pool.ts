import { SQL } from 'bun'
import { type BunSQLDatabase, drizzle } from 'drizzle-orm/bun-sql'
import { failureKind, QueryTimedOut, readError, writeError } from './errors.ts'

export type Queries = BunSQLDatabase & { readonly $client: SQL }

export interface PoolOptions {
  readonly url: string
  /** Shown in `pg_stat_activity`. */
  readonly name: string
  /** The number of connections. */
  readonly size: number
  /** How long one attempt of a statement may take. */
  readonly attemptMs: number
}

/** Connections to the database. They are opened when they are needed, and opened again when they are lost. */
export interface Pool {
  /** The number of connections. */
  readonly size: number
  /** Makes one attempt. @throws the error of the client, or QueryTimedOut */
  attempt<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
  /** Runs statements that change nothing. Repeats them once if a connection is lost. @throws StorageUnavailable */
  read<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
  /**
   * Runs one change.
   *
   * @throws StorageUnavailable if nothing was changed
   * @throws OutcomeUnknown if the connection was lost before the server confirmed the change
   */
  write<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
  /** Whether the last attempt has failed for a transient reason. */
  isFailing(): boolean
  /** How often all connections were replaced, because one did not respond. */
  reconnects(): number
  close(): Promise<void>
}

const connectTimeoutSeconds = 2

/** Opens a client. Every session has these settings, whatever the server or the role has set. */
export function openClient({ url, name, size, attemptMs }: PoolOptions): SQL {
  return new SQL(url, {
    max: size,
    connectionTimeout: connectTimeoutSeconds,
    connection: {
      application_name: name,
      // Each statement must see what was committed before it, in particular what was committed before its lock.
      default_transaction_isolation: 'read committed',
      // Compiling a statement takes longer than any of them runs.
      jit: 'off',
      statement_timeout: attemptMs,
      lock_timeout: attemptMs,
      idle_in_transaction_session_timeout: attemptMs * 2,
    },
  })
}

/**
 * Creates a pool. Bun's client has no time limit for a query, and distributes queries over frozen connections,
 * too. If a statement is not answered in time, the pool therefore replaces all of its connections.
 */
export function createPool(options: PoolOptions): Pool {
  const open = () => drizzle({ client: openClient(options) }) as Queries
  let current = open()
  let failing = false
  let reconnects = 0

  /** Closing also fails the statements that still wait for a response. */
  function replace(queries: Queries): void {
    if (queries !== current) return
    current = open()
    reconnects++
    queries.$client.close({ timeout: 0 }).catch(() => {})
  }

  async function attempt<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result> {
    const queries = current
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      replace(queries)
      reject(new QueryTimedOut(options.attemptMs))
    }, options.attemptMs)
    try {
      const result = await Promise.race([work(queries), late])
      failing = false
      return result
    } catch (error) {
      failing = failureKind(error) !== 'fault'
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    size: options.size,
    attempt,
    async read(work) {
      try {
        return await attempt(work)
      } catch (error) {
        if (error instanceof QueryTimedOut || failureKind(error) !== 'unknown') throw readError(error)
      }
      try {
        return await attempt(work)
      } catch (error) {
        throw readError(error)
      }
    },
    async write(work) {
      try {
        return await attempt(work)
      } catch (error) {
        throw writeError(error)
      }
    },
    isFailing: () => failing,
    reconnects: () => reconnects,
    close: () => current.$client.close({ timeout: 0 }),
  }
}
