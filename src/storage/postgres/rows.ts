import type { SQL } from 'bun'

/** Runs one prepared statement. 64-bit integers arrive as text unless the statement casts them. */
export const queryRows = async <Row>(
  sql: SQL,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> => [...((await sql.unsafe(text, [...parameters])) as Row[])]

/** As `queryRows`, with the rows as arrays of columns. */
export const queryValues = <Values>(
  sql: SQL,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<Values[]> => sql.unsafe(text, [...parameters]).values() as unknown as Promise<Values[]>

/** The `through_sequence` of a membership that has not ended. */
export const openEnd = Number.MAX_SAFE_INTEGER
