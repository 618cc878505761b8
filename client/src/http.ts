import { apiVersion, type Operations, routes, type Schemas } from './contract.gen.ts'
import { isTransient, type OperationId, ParleyError, problemError } from './errors.ts'
import { type AuthReason, type Session, withRefreshTime } from './session.ts'
import { backoffMs, orAborted, sleep } from './timing.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds that one attempt may take. */
  readonly timeoutMs?: number | undefined
  /** Attempts after the first one. */
  readonly retries?: number | undefined
  /** For `sendMessage`. Without one, each call generates its own. */
  readonly idempotencyKey?: string | undefined
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpOptions {
  readonly fetch?: Fetch | undefined
  readonly timeoutMs: number
  readonly retries: number
  /** The longest `Retry-After` that a call waits for; with a longer one, it rejects. */
  readonly maxRetryAfterSeconds: number
}

/** `token` replaces that of the session, and prevents its renewal. */
type InternalOptions = CallOptions & { readonly token?: string }

export type Call = <Id extends OperationId>(
  id: Id,
  input: Operations[Id]['input'],
  options?: InternalOptions,
) => Promise<Operations[Id]['output']>

/** Not `crypto.randomUUID`, which does not exist on pages without HTTPS. */
export const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

interface Request {
  readonly id: OperationId
  readonly url: string
  readonly init: RequestInit & { headers: Record<string, string> }
}

/** Puts the input into the path, and the rest of it into the query or the body. */
function createRequest(base: string, id: OperationId, input: object = {}, key: string): Request {
  const [method, path, flags] = routes[id]
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  let url =
    base +
    path.replace(/{(\w+)}/g, (_, name: string) => {
      const value = encodeURIComponent(rest.get(name) as string)
      rest.delete(name)
      return value
    })
  const headers: Record<string, string> = { 'api-version': apiVersion }
  const init: Request['init'] = { method, headers, credentials: 'omit', cache: 'no-store', redirect: 'error' }
  if (flags.includes('b')) {
    headers['content-type'] = 'application/json'
    init.body = JSON.stringify(Object.fromEntries(rest))
  } else if (rest.size > 0) url += `?${new URLSearchParams([...rest] as string[][])}`
  if (flags.includes('i')) headers['idempotency-key'] = `"${key.replace(/["\\]/g, '\\$&')}"`
  return { id, url, init }
}

/**
 * Whether an attempt may be repeated although the first one may have succeeded. A repeated login or renewal
 * only returns another token; a repeated registration would report its own username as taken.
 */
const isRepeatable = (id: OperationId): boolean => {
  const [method, , flags] = routes[id]
  return method === 'GET' || flags.includes('i') || id === 'loginUser' || id === 'refreshToken'
}

/** One attempt. */
async function attempt(
  { id, url, init }: Request,
  doFetch: Fetch,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ response: Response; body: unknown }> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, timeoutMs)
  signal?.addEventListener('abort', abort)
  try {
    const response = await doFetch(url, { ...init, signal: controller.signal })
    const body: unknown = await response.json().catch((error) => {
      if (controller.signal.aborted) throw error
    })
    if (response.ok && body) return { response, body }
    const retryAfterSeconds = Number(response.headers.get('retry-after')) || undefined
    if ((body as Schemas['Problem'] | undefined)?.code) {
      throw problemError(body as Schemas['Problem'], { operation: id, retryAfterSeconds })
    }
    throw new ParleyError('unexpected-response', {
      operation: id,
      retryAfterSeconds,
      outcome: 'unknown',
      cause: response,
    })
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause
    const code = signal?.aborted ? 'aborted' : controller.signal.aborted ? 'timeout' : 'network'
    throw new ParleyError(code, { operation: id, outcome: 'unknown', cause })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Keeps the token that a response contains, and forgets the one that the server has revoked. */
function updateSession(
  session: Session,
  id: OperationId,
  used: string | undefined,
  response: Response,
  body: unknown,
) {
  const { token } = body as { token?: string }
  // Only a login can change the user. The result of another operation is ignored after a login.
  if (token) session.set(withRefreshTime(token, response.headers.get('token-expires-at')), used)
  if (id === 'logoutUser' || id === 'deleteProfile') session.set(undefined, used)
}

/** Names the operation in an error that does not come from an attempt, such as that of a renewal. */
const withOperation = (error: unknown, operation: OperationId) =>
  error instanceof ParleyError && !error.operation
    ? new ParleyError(error.code, { operation, outcome: error.outcome, cause: error.cause })
    : error

/** Creates the function that calls an operation, with retries and at most one renewal of the token. */
export function createCall(base: string, session: Session, options: HttpOptions): Call {
  const call: Call = async (id, input, callOptions = {}) => {
    const { signal, timeoutMs = options.timeoutMs, retries = options.retries } = callOptions
    const request = createRequest(base, id, input, callOptions.idempotencyKey ?? randomKey())
    const secured = routes[id][2].includes('s')
    let renewable = secured && !callOptions.token && id !== 'logoutUser'
    for (let failures = 0; ; ) {
      let token: string | undefined
      try {
        if (secured) token = callOptions.token ?? (await orAborted(session.fresh(), signal))
        if (token) request.init.headers.authorization = `Bearer ${token}`
        if (signal?.aborted) throw new ParleyError('aborted', { operation: id, cause: signal.reason })
        const doFetch: Fetch = options.fetch ?? fetch
        const { response, body } = await attempt(request, doFetch, timeoutMs, signal)
        updateSession(session, id, token, response, body)
        return body as never
      } catch (caught) {
        const error = caught as ParleyError
        const { problem, retryAfterSeconds, outcome } = error
        if (renewable && problem?.status === 401) {
          renewable = false
          const renewed = session.renew(error.code as AuthReason, token)
          if (await orAborted(renewed, signal)) continue
          throw error
        }
        if (id === 'logoutUser' && problem?.status === 401) session.set(undefined, token)
        const safe = outcome === 'not-done' || isRepeatable(id)
        const waitable = (retryAfterSeconds ?? 0) <= options.maxRetryAfterSeconds
        if (failures >= retries || !isTransient(error) || !safe || !waitable) throw error
        await sleep(Math.max((retryAfterSeconds ?? 0) * 1000, backoffMs(failures, 250, 8000)), signal)
        failures++
      }
    }
  }
  return (id, ...rest) =>
    call(id, ...rest).catch((error) => {
      throw withOperation(error, id)
    })
}
