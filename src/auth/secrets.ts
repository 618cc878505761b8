import { guessableFault } from './guessable-secrets.ts'
import { type SigningKey, UnusableKey } from './keys.ts'

/** RFC 7518 requires a key of at least the size of the hash (section 3.2). */
const minSecretBytes = 32

/** The length of a secret's id in base64url: 72 bits. */
const idLength = 12

/** Why a secret must not be used, as the end of a sentence such as "the secret …"; undefined if it can be. */
export function secretFault(secret: string): string | undefined {
  if (secret === '') return 'is empty'
  if (Buffer.byteLength(secret) < minSecretBytes) {
    return `is too short: a secret has at least ${minSecretBytes} bytes`
  }
  const fault = guessableFault(secret)
  return fault === undefined
    ? undefined
    : `is easy to guess: it ${fault}. Generate a random one, for example with "openssl rand -base64 48"`
}

export const generateSecret = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')

/** @throws UnusableKey if the secret is too short or easy to guess */
export async function importSecret(secret: string): Promise<SigningKey> {
  const fault = secretFault(secret)
  if (fault !== undefined) throw new UnusableKey(fault)
  // Imported once: the plugin would import a string or bytes again for each verification.
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  )
  // Every token contains the id, so it must not help to find the secret. It is a part of an HMAC of a text that
  // is never signed for a token, and tells no more about the secret than the signature of any token.
  const digest = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('key id'))
  const id = Buffer.from(digest).toString('base64url').slice(0, idLength)
  return { id, algorithm: 'HS256', signWith: key, verifyWith: key }
}
