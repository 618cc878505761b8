/** The key in `Idempotency-Key`: the draft's quoted string (RFC 8941, section 3.3.3), or the bare key. */
export const readIdempotencyKey = (header: string | undefined): string | undefined =>
  header?.startsWith('"') ? header.slice(1, -1).replace(/\\(["\\])/g, '$1') : header
