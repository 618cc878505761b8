import { openapi } from '../contract/documents.ts'
import { ProblemError } from '../contract/problems.ts'

const maxBytes = openapi['x-limits']['request-body-bytes']

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A chunked body has no declared length: count while reading, and stop at the limit. */
async function readCounted(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > maxBytes) throw new ProblemError('content-too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Reads and parses the JSON body of a request.
 *
 * @throws ProblemError unsupported-media-type, content-too-large or malformed-json
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const { headers } = request
  const contentType = headers.get('content-type') ?? ''
  const isJson = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType)
  const coding = headers.get('content-encoding')
  if (!isJson || (coding !== null && coding !== 'identity')) {
    throw new ProblemError('unsupported-media-type')
  }
  const declaredLength = headers.get('content-length')
  if (Number(declaredLength) > maxBytes) throw new ProblemError('content-too-large')
  const bytes =
    declaredLength === null && request.body !== null
      ? await readCounted(request.body)
      : new Uint8Array(await request.arrayBuffer())
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (error) {
    throw new ProblemError('malformed-json', { cause: error })
  }
}
