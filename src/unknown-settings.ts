import { type Environment, settingNames } from './config.ts'

/** A variable that looks like a setting, but is not one. */
export interface UnknownSetting {
  readonly variable: string
  /** The setting that was probably meant. */
  readonly setting: string
}

/**
 * The number of insertions, deletions and replacements that turn `a` into `b` (Levenshtein distance), or a
 * larger number than `limit` if it is larger.
 */
function distance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  // Rules out most pairs: comparing all of them in full would block requests for 15 ms.
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 0; row < a.length; row++) {
    const current = [row + 1]
    for (let column = 0; column < b.length; column++) {
      const replaced = (previous[column] ?? 0) + (a[row] === b[column] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    if (Math.min(...current) > limit) return limit + 1
    previous = current
  }
  return previous.at(-1) ?? 0
}

/** `PROXIES` and `PROXY` have the same stem, and so have `SOCKETS` and `SOCKET`. */
const stem = (word: string) => word.replace(/IES$/, 'Y').replace(/S$/, '')

/** Whether two stems are the same, or one is an abbreviation of the other such as DIR of DIRECTORY. */
const isSameWord = (a: string, b: string) =>
  a === b || (a.length >= 3 && b.startsWith(a)) || (b.length >= 3 && a.startsWith(b))

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

/** A name as it is compared. Prepared once for all comparisons. */
interface Name {
  readonly text: string
  readonly letters: string
  /** The stems of its words. */
  readonly words: readonly string[]
}

const toName = (text: string): Name => ({
  text,
  letters: text.replaceAll('_', ''),
  words: text.split('_').map(stem),
})

/** Only settings of several words: Kubernetes sets PARLEY_PORT for a service that is called parley. */
const prefixedSetting = /^PARLEY_(?=[A-Z]+_)/

/** A short name is close to too many others. */
const allowedDistance = (length: number) => (length < 7 ? 0 : length < 9 ? 1 : 2)

function resembles(variable: Name, setting: Name): boolean {
  const [a, b] = [variable.letters, setting.letters]
  if (a === '') return false
  const allowed = allowedDistance(b.length)
  if (distance(a, b, allowed) <= allowed) return true
  return sharesWords(variable.words, setting.words)
}

/**
 * Finds variables that are set, look like a setting and are not one, so that a typing error does not
 * silently leave a default in effect.
 *
 * @param policies the names of the rate-limit policies
 */
export function findUnknownSettings(environment: Environment, policies: readonly string[]): UnknownSetting[] {
  const known = new Set(settingNames(policies))
  const settings = [...known].map(toName)
  const found: UnknownSetting[] = []
  for (const variable of Object.keys(environment).sort()) {
    if (!environment[variable] || known.has(variable)) continue
    const name = toName(variable.toUpperCase().replace(prefixedSetting, ''))
    const closest = settings
      .filter((setting) => resembles(name, setting))
      .sort((a, b) => distance(name.text, a.text) - distance(name.text, b.text))
      .at(0)
    if (closest !== undefined) found.push({ variable, setting: closest.text })
  }
  return found
}
