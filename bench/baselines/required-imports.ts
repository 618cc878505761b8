// Preloaded into the plain Elysia server. It shows what a start costs that also loads what this server has to load: its
// tables in Drizzle, with one query, and the parts of both documents that it reads.

import { Database } from 'bun:sqlite'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { asyncapi, openapi } from '../../src/contract/documents.ts'
import * as tables from '../../src/storage/sqlite/schema.ts'

drizzle(new Database(':memory:')).select().from(tables.users).toSQL()
if (!openapi.paths || !asyncapi.channels) throw new Error('The documents are not loaded')
