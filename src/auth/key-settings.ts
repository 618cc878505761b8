import { importKeyPair, importPublicKey } from './key-pairs.ts'
import { type Algorithm, algorithms, defaultAudience, UnusableKey } from './keys.ts'
import { secretFault } from './secrets.ts'

/** The settings of the keys that sign and verify tokens. */
export interface KeySettings {
  readonly jwtAlgorithm: Algorithm
  readonly jwtAudience: string
  readonly jwtSecret: string | undefined
  readonly jwtSecretPrevious: string | undefined
  readonly jwtPrivateKey: string | undefined
  readonly jwtPrivateKeyPrevious: string | undefined
}

interface KeySettingsOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Reads a setting with a fixed number of values. */
  readonly choice: <Choice extends string>(
    name: string,
    fallback: Choice,
    choices: readonly Choice[],
  ) => Choice
  readonly faults: string[]
}

/** Printable ASCII without spaces. With a longer audience, a token could exceed the limit of the document. */
const audiencePattern = /^[!-~]{1,200}$/

/** What is wrong with a key, or undefined. */
function keyFault(importKey: (text: string) => unknown, text: string): string | undefined {
  try {
    importKey(text)
    return undefined
  } catch (error) {
    if (error instanceof UnusableKey) return error.message
    throw error
  }
}

/** Adds what is wrong to `faults`; no fault repeats a secret or a key. */
export function readKeySettings({ environment, choice, faults }: KeySettingsOptions): KeySettings {
  // Not trimmed: the spaces of a secret have always been part of it.
  function secret(name: string): string | undefined {
    const value = environment[name] || undefined
    const fault = value === undefined ? undefined : secretFault(value)
    if (fault !== undefined) faults.push(`${name} ${fault}`)
    return value
  }

  function key(name: string, importKey: (text: string) => unknown): string | undefined {
    const value = environment[name]?.trim() || undefined
    const fault = value === undefined ? undefined : keyFault(importKey, value)
    if (fault !== undefined) faults.push(`${name} ${fault}`)
    return value
  }

  const jwtAudience = environment.JWT_AUDIENCE?.trim() || defaultAudience
  if (!audiencePattern.test(jwtAudience)) {
    faults.push('JWT_AUDIENCE must be a name or a URI of at most 200 ASCII characters without spaces')
  }
  const settings = {
    jwtAlgorithm: choice('JWT_ALGORITHM', 'HS256', algorithms),
    jwtAudience,
    jwtSecret: secret('JWT_SECRET'),
    jwtSecretPrevious: secret('JWT_SECRET_PREVIOUS'),
    jwtPrivateKey: key('JWT_PRIVATE_KEY', importKeyPair),
    jwtPrivateKeyPrevious: key('JWT_PRIVATE_KEY_PREVIOUS', importPublicKey),
  }
  // Otherwise an operator could not tell whether the tokens of this key are still valid.
  const [unused, value] =
    settings.jwtAlgorithm === 'EdDSA'
      ? ['JWT_SECRET', settings.jwtSecret]
      : ['JWT_PRIVATE_KEY', settings.jwtPrivateKey]
  if (value !== undefined) {
    faults.push(
      `${unused} has no effect with JWT_ALGORITHM=${settings.jwtAlgorithm}. Rename it to ${unused}_PREVIOUS to ` +
        'keep its tokens valid, or remove it',
    )
  }
  return settings
}
