// The processor of the load generators. A scheduler that moves a load generator between processors takes turns with the
// server in one round and not in the next one, which doubles the variation of the rounds.

import { readFileSync } from 'node:fs'

const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''

/** The last processor that this process may use. Undefined if it is the only one, or if `taskset` is not installed. */
export const loadProcessor = Bun.which('taskset') ? lastOf(allowed) : undefined

/** The command of a load generator that stays on one processor. The servers may use all processors. */
export const onLoadProcessor = (command: readonly string[]): string[] =>
  loadProcessor === undefined ? [...command] : ['taskset', '--cpu-list', loadProcessor, ...command]

/** @param list a list as in `cpuset(7)`, such as `0-1` or `0,4-7` */
export function lastOf(list: string): string | undefined {
  const numbers = list.split(/[,-]/)
  return numbers.length > 1 ? numbers.at(-1) : undefined
}
