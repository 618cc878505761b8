/**
 * Creates the function that makes the keys of the store from names: keyed hashes, so that all nodes agree, and a copy
 * of the store reveals neither addresses nor users.
 *
 * @param secret the secret that all nodes share
 */
export function createLimitKeys(secret: string): (subject: string, name: string) => string {
  // Derived, so that a hash with the secret that signs tokens is never stored.
  const key = new Bun.CryptoHasher('sha256', secret).update('parley limits').digest()
  return (subject, name) =>
    new Bun.CryptoHasher('sha256', key).update(`${subject}\n${name}`).digest('base64url').slice(0, 22)
}
