import type { TokenCloseReason } from './contract.gen.ts'
import { ParleyError } from './errors.ts'
import { createEvents } from './events.ts'
import { orAborted } from './timing.ts'

/** A token and what is known about it. */
export interface StoredToken {
  readonly token: string
  /** When the token expires, as RFC 3339. Undefined if the server did not tell. */
  readonly expiresAt?: string | undefined
  /** When to renew the token, in milliseconds since 1970 by the clock of this device. */
  readonly refreshAt?: number | undefined
}

/** Where the token is kept. Without one, it is kept in memory until the page or the process ends. */
export interface TokenStore {
  load(): StoredToken | null | undefined | Promise<StoredToken | null | undefined>
  /** Receives undefined after a logout. */
  save(stored: StoredToken | undefined): void | Promise<void>
}

/** Why a new token is needed. */
export type AuthReason = TokenCloseReason | 'missing-token' | 'invalid-token' | 'session-expired'

/** A time that does not come. */
export const never = 1e30
const refreshRetryMs = 5000

interface SessionOptions {
  readonly store: TokenStore | undefined
  /** Asks the server for a new token, and passes it to `set`. */
  refresh(token: string): Promise<unknown>
  /** Asks the application for a new token. */
  askApplication(reason: AuthReason): unknown
  readonly authTimeoutMs: number | undefined
}

export interface Session {
  readonly token: string | undefined
  /** When to renew the token, in milliseconds since 1970 by the clock of this device. */
  readonly refreshAt: number
  /** A value that changes whenever the token may belong to another user. */
  readonly owner: object
  /** The token for a request, renewed before if it is due. */
  fresh(): Promise<string | undefined>
  /** A token to use instead of `rejected`, or undefined if there is none. All callers share one renewal. */
  renew(reason: AuthReason, rejected: string | undefined): Promise<string | undefined>
  /** Replaces the token, perhaps by that of another user. */
  set(next: StoredToken | undefined): void
  /** Forgets the token, but not what is stored: another tab may have stored a newer one. */
  forget(): void
  /** Replaces the token by another one of its user, unless it has been replaced in the meantime. */
  replace(previous: string | undefined, next: StoredToken): void
  /** Calls the listener after each change. Returns a function that removes it. */
  subscribe(listener: () => void): () => void
}

/**
 * A token is renewed after half of the time for which it is valid. That is measured from the moment when it
 * arrived, so that a wrong clock of the device shifts it, but does not cause renewals all the time.
 */
export function withRefreshTime(token: string, expiresAt: string | null): StoredToken {
  if (!expiresAt) return { token }
  const now = Date.now()
  const validMs = Date.parse(expiresAt) - now
  return { token, expiresAt, refreshAt: validMs > 0 ? now + validMs / 2 : undefined }
}

/** Keeps the token, and renews it once for all who wait. */
export function createSession({
  store,
  refresh,
  askApplication,
  authTimeoutMs = 30_000,
}: SessionOptions): Session {
  const events = createEvents<{ change: undefined }>()
  let loading: Promise<void> | undefined
  let refreshing: Promise<void> | undefined
  let renewal: Promise<string | undefined> | undefined
  let saving: Promise<unknown> = Promise.resolve()

  function adopt(next: StoredToken | undefined, sameOwner?: boolean): void {
    session.token = next?.token
    session.refreshAt = next?.refreshAt ?? never
    if (!sameOwner) session.owner = {}
    events.emit('change', undefined)
  }

  function save(next: StoredToken | undefined, sameOwner?: boolean): void {
    adopt(next, sameOwner)
    // A store that fails only costs another login later.
    saving = saving.then(() => store?.save(next)).catch(() => {})
  }

  /** A store that cannot be read counts as empty. */
  const read = () => (async () => store?.load())().catch(() => undefined)

  const load = () => {
    loading ??= (async () => {
      const stored = await read()
      // A login may have been faster.
      if (stored && !session.token) adopt(stored)
    })()
    return loading
  }

  async function refreshNow(token: string): Promise<void> {
    try {
      await refresh(token)
    } catch (error) {
      const { problem } = error as ParleyError
      // The token itself is used until it is refused.
      if (session.token === token)
        session.refreshAt = problem?.status === 401 ? never : Date.now() + refreshRetryMs
    }
  }

  async function renewNow(reason: AuthReason, rejected: string | undefined): Promise<string | undefined> {
    // Another tab may have renewed it in the store that both use.
    await saving
    const stored = await read()
    if (stored && stored.token !== rejected) adopt(stored)
    else {
      const asking = (async () => askApplication(reason))()
      const answer = await orAborted(asking, AbortSignal.timeout(authTimeoutMs)).catch((cause) => {
        throw new ParleyError('unauthorized', { cause })
      })
      if (typeof answer === 'string') save({ token: answer })
    }
    return session.token === rejected ? undefined : session.token
  }

  const session: { -readonly [Name in keyof Session]: Session[Name] } = {
    token: undefined,
    refreshAt: never,
    owner: {},
    async fresh() {
      await load()
      if (session.token && Date.now() >= session.refreshAt) {
        refreshing ??= refreshNow(session.token).finally(() => {
          refreshing = undefined
        })
        await refreshing
      }
      return session.token
    },
    async renew(reason, rejected) {
      await load()
      if (session.token && session.token !== rejected) return session.token
      renewal ??= renewNow(reason, rejected).finally(() => {
        renewal = undefined
      })
      return renewal
    },
    set: (next) => save(next),
    forget: () => adopt(undefined),
    replace(previous, next) {
      if (session.token === previous) save(next, true)
    },
    subscribe: (listener) => events.on('change', listener),
  }
  return session
}

/** Keeps the token in `localStorage` or `sessionStorage`. All tabs that use `localStorage` share one token. */
export function webStore(
  storage: {
    getItem(key: string): string | null
    setItem(key: string, value: string): void
    removeItem(key: string): void
  },
  key = 'parley',
): TokenStore {
  return {
    load: () => JSON.parse(storage.getItem(key) ?? 'null') as StoredToken | undefined,
    save: (next) => (next ? storage.setItem(key, JSON.stringify(next)) : storage.removeItem(key)),
  }
}
