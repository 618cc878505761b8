/** How many of the list, which begins with the most common one, are refused. */
const refused = 10_000

let passwords: Promise<Set<string>> | undefined

/** Loaded at the first registration: no start has to wait for it. */
async function load(): Promise<Set<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary.passwords.slice(0, refused).map((each) => each.toLowerCase()))
}

/** Whether everyone tries this password first, in whatever case. */
export async function isCommonPassword(password: string): Promise<boolean> {
  passwords ??= load().catch((error) => {
    passwords = undefined
    throw error
  })
  return (await passwords).has(password.toLowerCase())
}
