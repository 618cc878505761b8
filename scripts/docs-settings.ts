// The settings that .env.example lists and src/config.ts reads.
import { readConfig, settingNames } from '../src/config.ts'
import { code, limits, table } from './docs-tables.ts'

export interface Setting {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

/** The settings of .env.example: each is a block of comments followed by `NAME=default`. */
export function readSettings(text: string): Setting[] {
  return text.split('\n\n').flatMap((block) => {
    const lines = block.trim().split('\n')
    const meaning = lines
      .filter((line) => line.startsWith('# '))
      .map((line) => line.slice(2))
      .join(' ')
    return lines
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => {
        const [name = '', value = ''] = line.split(/=(.*)/)
        return { name, value, meaning }
      })
  })
}

/** The errors of .env.example: missing variables, variables that nothing reads, and wrong defaults. */
export function settingsFaults(settings: readonly Setting[]): string[] {
  const faults: string[] = []
  const policies = [...new Set(limits.map(({ limit }) => limit.policy))]
  const read = new Set(settingNames(policies))
  const plain = ({ trustedProxies, ...config }: ReturnType<typeof readConfig>) =>
    JSON.stringify({ ...config, trustedProxies: trustedProxies.rules })
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
