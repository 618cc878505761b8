import { expect, test } from 'bun:test'
import { readTraceContext, traceResponse } from '../../../src/http/trace-context.ts'
import { bearer, type Service, startService } from '../support/service.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${parentId}-01`
const requestId = '019a9c4e-5b7a-4c31-8d2e-3f6a1b9c0d4e'
const profile = '/api/users/profile'

const read = (value: string) =>
  readTraceContext(new Request('http://localhost/', { headers: { traceparent: value } }), requestId)

/** The log lines of the requests so far. */
const requestLines = ({ lines }: Service) =>
  lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')

test('the span of a request is the end of its request id', () => {
  const trace = read(traceparent)
  expect(trace).toEqual({ traceId, parentId, spanId: '8d2e3f6a1b9c0d4e', flags: '01' })
  expect(trace && traceResponse(trace)).toBe(`00-${traceId}-8d2e3f6a1b9c0d4e-01`)
})

test('a later version may have additional fields', () => {
  expect(read(`cc-${traceId}-${parentId}-01-what-the-future-adds`)).toMatchObject({ traceId, parentId })
  expect(read(`cc-${traceId}-${parentId}-01`)).toMatchObject({ traceId, parentId })
})

const invalid: readonly [reason: string, value: string][] = [
  ['the invalid version', `ff-${traceId}-${parentId}-01`],
  ['an additional field in version 00', `${traceparent}-00`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['a parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['upper case', traceparent.toUpperCase()],
  ['a short trace id', `00-${traceId.slice(1)}-${parentId}-01`],
  ['a later version with characters after the flags', `cc-${traceId}-${parentId}-01.1`],
  ['two values', `${traceparent}, ${traceparent}`],
  ['quotes that would end a JSON text', `00-${traceId}-${parentId}-0"`],
  ['nothing', ''],
]

for (const [reason, value] of invalid) {
  test(`a traceparent with ${reason} is ignored`, () => {
    expect(read(value)).toBeUndefined()
  })
}

test('a success and a failure return the trace, and their log lines have it', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const responses = [
    await service.get(profile, token, { traceparent }),
    await service.post('/api/chats/send', { message: 'Hello' }, { ...bearer(token), traceparent }),
    await service.get(profile, 'not a token', { traceparent }),
    await service.get('/no/such/path', undefined, { traceparent }),
    await service.get('/livez', undefined, { traceparent }),
    await service.get('/problems', undefined, { traceparent }),
  ]
  const lines = requestLines(service)
  expect(lines).toHaveLength(responses.length)
  for (const [index, { headers }] of responses.entries()) {
    const id = headers.get('x-request-id')?.replaceAll('-', '') ?? ''
    const spanId = id.slice(16)
    expect(headers.get('traceresponse')).toBe(`00-${traceId}-${spanId}-01`)
    expect(lines[index]).toMatchObject({ traceId, spanId, parentId })
  }
})

test('a response without a trace does not have the one of an earlier response', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  await service.get(profile, token, { traceparent })
  const response = await service.get(profile, token)
  expect(response.headers.has('traceresponse')).toBe(false)
  expect(requestLines(service).at(-1)).not.toHaveProperty('traceId')
  const invalid = await service.get(profile, token, { traceparent: 'not a trace' })
  expect(invalid.status).toBe(200)
  expect(invalid.headers.has('traceresponse')).toBe(false)
})

test('the handshake of a WebSocket belongs to the trace of the client', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const socket = new WebSocket(service.url.replace('http', 'ws'), {
    headers: { ...bearer(token), traceparent },
  } as never)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  socket.close()
  expect(requestLines(service)).toMatchObject([{ status: 101, traceId, parentId }])
})

test('a page of another origin may send the trace and read the response', async () => {
  await using service = await startService({ CORS_ORIGINS: 'https://app.example.com' })
  const preflight = await fetch(service.url + profile, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'GET' },
  })
  expect(preflight.headers.get('access-control-allow-headers')?.split(', ')).toContain('traceparent')
  expect(preflight.headers.get('access-control-expose-headers')?.split(', ')).toContain('traceresponse')
})
