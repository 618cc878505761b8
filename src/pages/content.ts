import type { Context } from 'elysia'
import { acceptsEncoding, prefersHtml } from '../http/accept.ts'
import { once } from '../once.ts'

/** What a path of the pages serves. It does not change while the process runs. */
export interface Content {
  readonly body: string | Uint8Array<ArrayBuffer>
  readonly type: string
  /** The media type for a browser, if it would download the content under its own media type. */
  readonly browserType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Compresses in another thread, so that other requests continue. */
async function compress(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  // Imported on demand, because the import delays the start.
  const { gzip } = await import('node:zlib')
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
  gzip(body, { level: 9 }, (error, zipped) => (error ? reject(error) : resolve(zipped as never)))
  return promise
}

/** Whether compression makes content of this media type smaller: images are compressed already. */
const isCompressible = (type: string) => !type.startsWith('image/') || type.startsWith('image/svg')

/** Whether `If-None-Match` lists this entity tag, by weak comparison (RFC 9110, section 13.1.2). */
function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}

/**
 * Creates a handler that serves this content. The content is created at the first request, and compressed
 * at the first request that accepts it; most processes never serve it.
 */
export function serveContent(make: () => Content | Promise<Content>) {
  const plain = once(async () => {
    const content = await make()
    const body = typeof content.body === 'string' ? new TextEncoder().encode(content.body) : content.body
    const tag = new Bun.CryptoHasher('sha256').update(body).digest('base64url')
    return { ...content, body, tag }
  })
  const zippedBody = once(async () => compress((await plain()).body))

  return async ({ request, set }: Pick<Context, 'request' | 'set'>): Promise<Response> => {
    const content = await plain()
    const compressible = isCompressible(content.type)
    const zipped = compressible && acceptsEncoding(request, 'gzip')
    const browserType = prefersHtml(request) ? content.browserType : undefined
    const vary = [...(content.browserType ? ['Accept'] : []), ...(compressible ? ['Accept-Encoding'] : [])]
    // Set here instead of on the response: the page hooks may add `Origin`.
    if (vary.length > 0) set.headers.vary = vary.join(', ')
    const etag = `"${content.tag}${browserType ? '-browser' : ''}${zipped ? '-gzip' : ''}"`
    const headers = new Headers({ ...content.headers, etag, 'cache-control': 'no-cache' })
    if (matches(request.headers.get('if-none-match'), etag)) {
      return new Response(null, { status: 304, headers })
    }
    if (zipped) headers.set('content-encoding', 'gzip')
    headers.set('content-type', browserType ?? content.type)
    return new Response(zipped ? await zippedBody() : content.body, { headers })
  }
}
