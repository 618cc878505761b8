// The settings that .env.example lists and src/config.ts reads.
import type { Setting } from '../src/commands/settings.ts'
import { readConfig, settingNames } from '../src/config.ts'
import { code, limits, table } from './docs-tables.ts'

/** The errors of .env.example: missing variables, variables that nothing reads, and wrong defaults. */
export function settingsFaults(settings: readonly Setting[]): string[] {
  const faults: string[] = []
  const policies = [...new Set(limits.map(({ limit }) => limit.policy))]
  const read = new Set(settingNames(policies))
  const plain = ({ trustedProxies, ...config }: ReturnType<typeof readConfig>) =>
    JSON.stringify({ ...config, trustedProxies: trustedProxies?.rules })
  const defaults = plain(readConfig({}, policies))
  const shown = Object.fromEntries(settings.map(({ name, value }) => [name, value]))
  for (const name of new Set([...read, ...Object.keys(shown)])) {
    if (!(name in shown)) faults.push(`.env.example lacks ${name}`)
    else if (!read.has(name)) faults.push(`.env.example has ${name}, which nothing reads`)
  }
  if (plain(readConfig(shown, policies)) !== defaults) {
    faults.push('.env.example shows other values than the defaults of src/config.ts')
  }
  return faults
}

export const settingsTable = (settings: readonly Setting[]) =>
  table(
    ['Variable', 'Default', 'Meaning'],
    settings.map(({ name, value, meaning }) => [code(name), value && code(value), meaning]),
  )
