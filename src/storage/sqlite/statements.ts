import { is } from 'drizzle-orm/entity'
import { Param, Placeholder, type Query } from 'drizzle-orm/sql'
import type { Queries } from './connection.ts'

/**
 * Prepares a Drizzle query as a statement of bun:sqlite, for queries that run for every message: binding
 * the values takes Drizzle longer than the insert takes SQLite. The values are bound unchanged, without
 * Drizzle's mapping of dates, booleans or JSON.
 *
 * @param names the query's placeholders, in the order of the values
 * @throws Error if the query has other parameters
 */
export function prepareStatement<Values extends (string | number | null)[]>(
  { $client }: Pick<Queries, '$client'>,
  query: { toSQL(): Query },
  names: readonly string[],
) {
  const { sql, params } = query.toSQL()
  const found = params.map((param) => {
    const value = is(param, Param) ? param.value : param
    return is(value, Placeholder) ? value.name : value
  })
  if (found.join() !== names.join()) throw new Error(`The parameters of "${sql}" are ${found.join()}`)
  // Not wrapped in a function: it would create an array of the values for each run.
  return $client.prepare<never, Values>(sql) as { run(...values: Values): unknown }
}

/**
 * Prepares a function that runs `work` in an immediate transaction, for work that runs for every commit: Drizzle
 * prepares the function again for each transaction.
 */
export const prepareTransaction = <Args extends unknown[], Result>(
  { $client }: Pick<Queries, '$client'>,
  work: (...args: Args) => Result,
): ((...args: Args) => Result) => $client.transaction(work).immediate
