import { type Environment, settingNames } from './config.ts'

/** A variable that looks like a setting, but is not one. */
export interface UnknownSetting {
  readonly variable: string
  /** The setting that was probably meant. */
  readonly setting: string
}

/** The number of insertions, deletions and replacements that turn `a` into `b` (Levenshtein distance). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...b].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}

/** `PROXIES` and `PROXY` have the same stem, and so have `SOCKETS` and `SOCKET`. */
const stem = (word: string) => word.replace(/IES$/, 'Y').replace(/S$/, '')

/** Whether the words are the same, or one is an abbreviation of the other such as DIR of DIRECTORY. */
function isSameWord(a: string, b: string): boolean {
  const [short, long] = [stem(a), stem(b)].sort((one, other) => one.length - other.length) as [string, string]
  return short === long || (short.length >= 3 && long.startsWith(short))
}

/**
 * Whether the words of one name are the first words of the other, such as those of JWT_SECRET_FILE, or the
 * variable has the last words of the setting, such as RETENTION_DAYS.
 */
function sharesWords(variable: readonly string[], setting: readonly string[]): boolean {
  const [short, long] = variable.length < setting.length ? [variable, setting] : [setting, variable]
  // A single word, such as HOST or NODE, is part of too many names.
  if (short.length < 2) return false
  const matchesAt = (offset: number) =>
    short.every((word, index) => isSameWord(word, long[offset + index] ?? ''))
  return matchesAt(0) || (short === variable && matchesAt(long.length - short.length))
}

/** Only settings of several words: Kubernetes sets PARLEY_PORT for a service that is called parley. */
const prefixedSetting = /^PARLEY_(?=[A-Z]+_)/

/** A short name is close to too many others. */
const allowedDistance = (length: number) => (length < 7 ? 0 : length < 9 ? 1 : 2)

function resembles(variable: string, setting: string): boolean {
  const [a, b] = [variable.replaceAll('_', ''), setting.replaceAll('_', '')]
  if (a === '') return false
  return distance(a, b) <= allowedDistance(b.length) || sharesWords(variable.split('_'), setting.split('_'))
}

/**
 * Finds variables that are set, look like a setting and are not one, so that a typing error does not
 * silently leave a default in effect.
 *
 * @param policies the names of the rate-limit policies
 */
export function findUnknownSettings(environment: Environment, policies: readonly string[]): UnknownSetting[] {
  const settings = settingNames(policies)
  const found: UnknownSetting[] = []
  for (const variable of Object.keys(environment).sort()) {
    if (!environment[variable] || settings.includes(variable)) continue
    const name = variable.toUpperCase().replace(prefixedSetting, '')
    const closest = settings
      .filter((setting) => resembles(name, setting))
      .sort((a, b) => distance(name, a) - distance(name, b))
      .at(0)
    if (closest !== undefined) found.push({ variable, setting: closest })
  }
  return found
}
