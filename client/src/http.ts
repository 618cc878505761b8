import { apiVersion, type Operations, routes, type Schemas } from './contract.gen.ts'
import { isTransient, type OperationId, ParleyError, responseError } from './errors.ts'
import { type AuthReason, type Session, withRefreshTime } from './session.ts'
import { backoffMs, orAborted, sleep } from './timing.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that one attempt may take. */
  readonly timeoutMs?: number
  /** Attempts after the first one. */
  readonly retries?: number
  /** For `sendMessage` and `createRoom`. Without one, each call generates its own. */
  readonly idempotencyKey?: string
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpOptions {
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Milliseconds that one attempt of a call may take. Default 10 000. */
  readonly timeoutMs?: number
  /** Attempts of a call after the first one. Default 2. */
  readonly retries?: number
  /** The longest `Retry-After`, in seconds, that a call waits for; with a longer one, it rejects. Default 15. */
  readonly maxRetryAfterSeconds?: number
}

/** `token` replaces that of the session, and prevents its renewal. */
type InternalOptions = CallOptions & { readonly token?: string }

export type Call = <Id extends OperationId>(
  id: Id,
  input: Operations[Id]['input'],
  options?: InternalOptions,
) => Promise<Operations[Id]['output']>

/** Not `crypto.randomUUID`, which does not exist on pages without HTTPS. */
export const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-')

interface Request {
  readonly id: OperationId
  readonly url: string
  readonly init: RequestInit & { headers: Record<string, string> }
}

/** Puts the input into the path, and the rest of it into the body or the query. */
function createRequest(base: string, id: OperationId, input: object | undefined, key: string): Request {
  const [method, path, flags] = routes[id]
  // A copy, without properties that are undefined.
  const rest = JSON.parse(JSON.stringify(input ?? {})) as Record<string, string>
  let url =
    base +
    path.replace(/{(\w+)}/g, (_, name: string) => {
      const value = rest[name] as string
      delete rest[name]
      return encodeURIComponent(value)
    })
  const headers: Record<string, string> = { 'api-version': apiVersion }
  const init: Request['init'] = { method, headers }
  if (flags.includes('b')) {
    headers['content-type'] = 'application/json'
    init.body = JSON.stringify(rest)
  } else {
    const query = String(new URLSearchParams(rest))
    if (query) url += `?${query}`
  }
  if (flags.includes('i')) headers['idempotency-key'] = `"${key.replace(/["\\]/g, '\\$&')}"`
  return { id, url, init }
}

/** One attempt. */
async function attempt(
  { id, url, init }: Request,
  doFetch: Fetch,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ response: Response; body: object }> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  let response: Response
  let body: object | undefined
  try {
    response = await doFetch(url, { ...init, signal: either })
    body = await (response.json() as Promise<object>).catch((error: unknown) => {
      // Otherwise, it is not JSON, or the connection was lost.
      if (either.aborted) throw error
      return undefined
    })
  } catch (cause) {
    const code = signal?.aborted ? 'aborted' : timeout.aborted ? 'timeout' : 'network'
    throw new ParleyError(code, { operation: id, outcome: 'unknown', cause })
  }
  if (response.ok && body) return { response, body }
  throw responseError(body as Schemas['Problem'] | undefined, {
    operation: id,
    retryAfterSeconds: Number(response.headers.get('retry-after')) || undefined,
    cause: response,
  })
}

/** Keeps the token that a response contains, and forgets the one that the server has revoked. */
function updateSession(
  session: Session,
  id: OperationId,
  used: string | undefined,
  response: Response,
  body: object,
) {
  const { token } = body as { token?: string }
  if (token) {
    const next = withRefreshTime(token, response.headers.get('token-expires-at'))
    if (id === 'refreshToken') session.replace(used, next)
    else session.set(next)
  }
  if (id === 'logoutUser' || id === 'deleteProfile') session.set(undefined)
}

/** Creates the function that calls an operation, with retries and renewals of the token. */
export function createCall(base: string, session: Session, options: HttpOptions): Call {
  const { maxRetryAfterSeconds = 15 } = options
  return async (id, input, callOptions = {}) => {
    const { signal } = callOptions
    const { timeoutMs = 10_000, retries = 2, idempotencyKey = randomKey() } = { ...options, ...callOptions }
    const request = createRequest(base, id, input, idempotencyKey)
    const [method, , flags] = routes[id]
    const secured = flags.includes('s')
    // Whether an attempt may be repeated although the first one may have succeeded. A repeated login or renewal
    // only returns another token; a repeated registration would report its own username as taken.
    const isRepeatable =
      method === 'GET' || flags.includes('i') || id === 'loginUser' || id === 'refreshToken'
    // The first renewal may find a token in the store that has expired as well.
    let renewals = secured && !callOptions.token && id !== 'logoutUser' ? 2 : 0
    for (let failures = 0; ; ) {
      let token: string | undefined
      try {
        if (secured) token = callOptions.token ?? (await orAborted(session.fresh(), signal, id))
        if (token) request.init.headers.authorization = `Bearer ${token}`
        const { response, body } = await attempt(request, options.fetch ?? fetch, timeoutMs, signal)
        updateSession(session, id, token, response, body)
        return body as never
      } catch (caught) {
        const error = caught as ParleyError
        const { code, problem, outcome, retryAfterSeconds = 0 } = error
        if (problem?.status === 401) {
          if (id === 'logoutUser') session.set(undefined)
          const renewed =
            renewals-- > 0 &&
            session.renew(code as AuthReason, token).catch(({ cause }: ParleyError) => {
              throw new ParleyError('unauthorized', { operation: id, problem, cause })
            })
          if (renewed && (await orAborted(renewed, signal, id))) continue
        }
        const isSafe = outcome === 'not-done' || isRepeatable
        const isSoon = retryAfterSeconds <= maxRetryAfterSeconds
        if (failures >= retries || !isTransient(error) || !isSafe || !isSoon) throw error
        await sleep(Math.max(retryAfterSeconds * 1000, backoffMs(failures++, 250, 8000)), signal, id)
      }
    }
  }
}
