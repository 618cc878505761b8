import { is } from 'drizzle-orm/entity'
import { Param, Placeholder, type Query } from 'drizzle-orm/sql'
import type { Queries } from './open-database.ts'

/**
 * A query of Drizzle's as a statement of bun:sqlite, for those that run for every message: Drizzle takes
 * longer to fill in the values than SQLite to insert the row. The values go into the columns as they are,
 * without Drizzle's mapping of dates, booleans or JSON.
 *
 * @param names of the query's placeholders, in the order in which the values will be given
 * @throws Error where the query has other parameters than these
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
  const statement = $client.prepare<never, Values>(sql)
  return { run: (...values: Values) => void statement.run(...(values as never)) }
}
