import { afterAll } from 'bun:test'
import { startPostgres } from '../../fixtures/postgres-server.ts'

/** The server that all tests of this process share. Each test has its own database in it. */
let server: ReturnType<typeof startPostgres> | undefined

export const sharedPostgres = () => {
  server ??= startPostgres()
  return server
}

afterAll(async () => {
  await (await server)?.[Symbol.asyncDispose]()
})
