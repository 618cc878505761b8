import type { TokenCloseReason } from './contract.gen.ts'
import { ParleyError } from './errors.ts'
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
  load(): StoredToken | undefined | Promise<StoredToken | undefined>
  /** Receives undefined after a logout. */
  save(stored: StoredToken | undefined): void | Promise<void>
}

/** Why a new token is needed. */
export type AuthReason = TokenCloseReason | 'missing-token' | 'invalid-token' | 'session-expired'

/** A time that does not come. */
export const never = 8.64e15
const refreshRetryMs = 5000

interface SessionOptions {
  readonly store: TokenStore
  /** Asks the server for a new token, and passes it to `set`. */
  refresh(token: string): Promise<unknown>
  /** Asks the application for a new token. */
  askApplication(reason: AuthReason): unknown
  readonly authTimeoutMs: number
}

export interface Session {
  readonly token: string | undefined
  readonly refreshAt: number
  /** A value that changes whenever the token may belong to another user. */
  readonly owner: object
  /** The token for a request, renewed before if it is due. */
  fresh(): Promise<string | undefined>
  /** A token to use instead of `rejected`, or undefined if there is none. All callers share one renewal. */
  renew(reason: AuthReason, rejected: string | undefined): Promise<string | undefined>
  /** Replaces the token, perhaps by that of another user. */
  set(next: StoredToken | undefined): void
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
export function createSession({ store, refresh, askApplication, authTimeoutMs }: SessionOptions): Session {
  const listeners = new Set<() => void>()
  let current: StoredToken | undefined
  let loading: Promise<void> | undefined
  let refreshing: Promise<void> | undefined
  let renewal: Promise<string | undefined> | undefined
  let saving: Promise<unknown> = Promise.resolve()
  let owner = {}
  /** Postpones the next renewal, after one that failed. */
  let notBefore = 0

  function adopt(next: StoredToken | undefined, sameOwner: boolean): void {
    current = next
    notBefore = 0
    if (!sameOwner) owner = {}
    for (const listener of [...listeners]) listener()
  }

  function save(next: StoredToken | undefined, sameOwner: boolean): void {
    adopt(next, sameOwner)
    // A store that fails only costs another login later.
    saving = saving.then(() => store.save(next)).catch(() => {})
  }

  const load = () => {
    loading ??= (async () => {
      const stored = await store.load()
      // A login may have been faster.
      if (stored && !current) adopt(stored, false)
    })()
    return loading
  }

  const refreshTime = () => Math.max(current?.refreshAt ?? never, notBefore)

  async function refreshNow({ token }: StoredToken): Promise<void> {
    try {
      await refresh(token)
    } catch (error) {
      const { problem } = error as ParleyError
      // The token itself is used until it is refused.
      notBefore = problem?.status === 401 ? never : Date.now() + refreshRetryMs
    }
  }

  async function renewNow(reason: AuthReason, rejected: string | undefined): Promise<string | undefined> {
    // Another tab may have renewed it in the store that both use.
    await saving
    const stored = await store.load()
    if (stored && stored.token !== rejected) adopt(stored, false)
    else {
      const asking = (async () => askApplication(reason))()
      const answer = await orAborted(asking, AbortSignal.timeout(authTimeoutMs)).catch((cause) => {
        throw new ParleyError('unauthorized', { cause })
      })
      if (typeof answer === 'string') session.set({ token: answer })
    }
    return current?.token === rejected ? undefined : current?.token
  }

  const session: Session = {
    get token() {
      return current?.token
    },
    get refreshAt() {
      return refreshTime()
    },
    get owner() {
      return owner
    },
    async fresh() {
      await load()
      if (current && Date.now() >= refreshTime()) {
        refreshing ??= refreshNow(current).finally(() => {
          refreshing = undefined
        })
        await refreshing
      }
      return current?.token
    },
    async renew(reason, rejected) {
      await load()
      if (current && current.token !== rejected) return current.token
      renewal ??= renewNow(reason, rejected).finally(() => {
        renewal = undefined
      })
      return renewal
    },
    set: (next) => save(next, false),
    replace(previous, next) {
      if (current?.token === previous) save(next, true)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return session
}

/** Keeps the token in memory. */
export function memoryStore(initial?: StoredToken): TokenStore {
  let stored = initial
  return {
    load: () => stored,
    save(next) {
      stored = next
    },
  }
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
    load() {
      try {
        return JSON.parse(storage.getItem(key) ?? '') as StoredToken
      } catch {
        return undefined
      }
    },
    save: (next) => (next ? storage.setItem(key, JSON.stringify(next)) : storage.removeItem(key)),
  }
}
