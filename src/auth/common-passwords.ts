import type { dictionary as Dictionary } from '@zxcvbn-ts/language-common'

/** How many of the list, which begins with the most common one, are refused. */
const refused = 10_000

let passwords: Set<string> | undefined

/** At the first registration: an import would read the list at each start. */
function load(): Set<string> {
  const { dictionary } = require('@zxcvbn-ts/language-common') as { dictionary: typeof Dictionary }
  return new Set(dictionary.passwords.slice(0, refused).map((each) => each.toLowerCase()))
}

/** Whether everyone tries this password first, in whatever case. */
export function isCommonPassword(password: string): boolean {
  passwords ??= load()
  return passwords.has(password.toLowerCase())
}
