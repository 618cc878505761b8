import type { dictionary as Dictionary } from '@zxcvbn-ts/language-common'

/** The list starts with the most common password; this number of entries is refused. */
const refusedCount = 10_000

let passwords: Set<string> | undefined

/** Loaded at the first registration: a static import would parse the list at every start. */
function load(): Set<string> {
  const { dictionary } = require('@zxcvbn-ts/language-common') as { dictionary: typeof Dictionary }
  return new Set(dictionary.passwords.slice(0, refusedCount).map((each) => each.toLowerCase()))
}

/** Whether the password, in any letter case, is among the 10,000 most common ones. */
export function isCommonPassword(password: string): boolean {
  passwords ??= load()
  return passwords.has(password.toLowerCase())
}
