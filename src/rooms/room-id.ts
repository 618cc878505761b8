/**
 * Creates the id that identifies a room to its users: 16 random bytes as base64url, so that it reveals nothing. It does not
 * start with a hyphen, because command lines would take it for an option.
 */
export function createRoomId(): string {
  for (;;) {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
