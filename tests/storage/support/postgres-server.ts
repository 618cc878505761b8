import { afterAll } from 'bun:test'
import { type PostgresServer, startPostgres } from '../../fixtures/postgres-server.ts'

/** The server that all tests of a file share. Each test has its own database in it. */
let server: Promise<PostgresServer> | undefined

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
  })
}
