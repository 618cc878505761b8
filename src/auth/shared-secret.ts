import { hkdfSync } from 'node:crypto'
import { secretPartOf } from './key-pairs.ts'
import type { KeySettings } from './key-settings.ts'

/** The secret part of the key that signs tokens: the same on every node, however its text is written. */
function keyMaterial({ jwtAlgorithm, jwtSecret = '', jwtPrivateKey = '' }: KeySettings): string {
  return jwtAlgorithm === 'HS256' ? jwtSecret : secretPartOf(jwtPrivateKey)
}

/**
 * A secret that all nodes have, and that tells nothing about the key of the tokens or about the secrets of other
 * purposes (RFC 5869).
 */
export const deriveSharedSecret = (settings: KeySettings, purpose: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(hkdfSync('sha256', keyMaterial(settings), '', `parley ${purpose}`, 32))
