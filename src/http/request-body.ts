import { openapi } from '../contract/documents.ts'
import { jsonMediaType } from '../contract/operations.ts'
import { ProblemError } from '../contract/problems.ts'
import { parseMediaType, splitList } from './field-values.ts'

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

/** Whether the media type is JSON in UTF-8. Parameters other than `charset` have no meaning and are ignored. */
function isJson(contentType: string | null): boolean {
  // The value of almost every request, which needs no parser.
  if (contentType === jsonMediaType) return true
  const mediaType = parseMediaType(contentType ?? '')
  if (mediaType?.type !== jsonMediaType) return false
  return mediaType.parameters.every(([name, value]) => name !== 'charset' || /^utf-?8$/i.test(value))
}

/** Whether no content coding has been applied. */
const isUncoded = (contentEncoding: string | null) =>
  contentEncoding === null ||
  splitList(contentEncoding).every((coding) => coding.toLowerCase() === 'identity')

/**
 * Reads and parses the JSON body of a request.
 *
 * @throws ProblemError unsupported-media-type, content-too-large or malformed-json
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const { headers } = request
  if (!isJson(headers.get('content-type')) || !isUncoded(headers.get('content-encoding'))) {
    throw new ProblemError('unsupported-media-type')
  }
  const declaredLength = headers.get('content-length')
  // Bun joins repeated headers, which it requires to be equal: `2, 2`.
  if (declaredLength !== null && !(Number.parseInt(declaredLength, 10) <= maxBytes)) {
    throw new ProblemError('content-too-large')
  }
  const bytes =
    declaredLength === null && request.body !== null ? await readCounted(request.body) : await request.bytes()
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (error) {
    throw new ProblemError('malformed-json', { cause: error })
  }
}
