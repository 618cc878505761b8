import { afterAll } from 'bun:test'
import { type PostgresServer, startPostgres } from '../../fixtures/postgres-server.ts'

/** The server that all tests of a file share. Each test has its own database in it. */
let server: Promise<PostgresServer> | undefined

/** A server whose processes wait for the disk takes five seconds to end them. */
const stopTimeoutMs = 30_000

export function sharedPostgres(): Promise<PostgresServer> {
  server ??= startPostgres()
  return server
}

/** Stops the server after the last test of the file. Every file that uses it has to call this. */
export function stopPostgresAfterTests(): void {
  afterAll(async () => {
    const started = await server
    server = undefined
    await started?.[Symbol.asyncDispose]()
  }, stopTimeoutMs)
}
