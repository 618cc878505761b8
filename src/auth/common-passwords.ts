import { dictionary } from '@zxcvbn-ts/language-common'

/** How many of the list, which begins with the most common one, are refused. */
const refused = 10_000

let passwords: Set<string> | undefined

/** Whether everyone tries this password first, in whatever case. The set is made at the first call. */
export function isCommonPassword(password: string): boolean {
  passwords ??= new Set(dictionary.passwords.slice(0, refused).map((each) => each.toLowerCase()))
  return passwords.has(password.toLowerCase())
}
