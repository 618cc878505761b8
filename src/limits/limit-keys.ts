/** Hashes a name, separately for each subject. */
export type LimitKeys = (subject: string, name: string) => string

/** The length of a key: 132 bits in base64url. */
const length = 22

/**
 * Creates the function that makes the keys of the store from names: keyed hashes, so that all nodes agree, and a copy
 * of the store reveals neither addresses nor users.
 *
 * @param secret a secret of the nodes for this purpose
 */
export const createLimitKeys =
  (secret: Uint8Array): LimitKeys =>
  (subject, name) =>
    new Bun.CryptoHasher('sha256', secret).update(`${subject}\n${name}`).digest('base64url').slice(0, length)
