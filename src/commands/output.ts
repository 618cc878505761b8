/** A command could not do what it was asked to do. The message is one sentence for the operator. */
export class CommandFailure extends Error {}

/** Writes text to standard output, and waits until it is written, so that a pipe gets everything. */
export async function print(text: string): Promise<void> {
  await Bun.write(Bun.stdout, `${text}\n`)
}

/** Writes a message for a person to standard error, which scripts do not parse. */
export const printNotice = (text: string): void => console.error(text)

export const printJson = (value: unknown): Promise<void> => print(JSON.stringify(value, undefined, 2))

/** Aligns rows of cells into columns. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
