import type { Verdict } from './verdict.ts'

/** The coverage tables in Markdown, what nothing exercised, and what the traffic broke. */
export function coverageReport({ findings, cells }: Verdict): string {
  const all = [...cells.all.values()]
  const lines = ['# Contract coverage', '']
  for (const table of new Set(all.map((cell) => cell.table))) {
    const rows = all.filter((cell) => cell.table === table)
    const seen = rows.filter((cell) => cell.seenOn.size > 0).length
    lines.push(`## ${table}: ${seen} of ${rows.length}`, '', '| promise | shown on server |', '|---|---|')
    for (const { columns, seenOn } of rows) {
      const where = seenOn.size === 0 ? '**nothing exercised it**' : [...seenOn].sort().join(', ')
      lines.push(`| ${columns.map((column) => column.replaceAll('|', '\\|')).join(' × ')} | ${where} |`)
    }
    lines.push('')
  }
  if (findings.length > 0)
    lines.push(`## Broken promises: ${findings.length}`, '', ...findings.map((one) => `- ${one}`), '')
  return lines.join('\n')
}
