import type { MessageLog } from '../../../src/chats/message-log.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'
import type { Storage } from '../../../src/open-storage.ts'
import { StorageUnavailable } from '../../../src/storage/errors.ts'

/** The asynchronous methods of the ports. */
export type PortMethod =
  | 'users.add'
  | 'users.find'
  | 'users.findCredentials'
  | 'users.isTaken'
  | 'users.rehash'
  | 'users.changePassword'
  | 'users.revokeTokens'
  | 'users.remove'
  | 'users.findRecord'
  | 'users.list'
  | 'revocations.revoke'
  | 'revocations.isRevoked'
  | 'messageLog.append'
  | 'messageLog.readAfter'
  | 'messageLog.readBefore'
  | 'rateLimits.count'
  | 'userSlots.acquire'
  | 'loginGuard.attempt'
  | 'loginGuard.succeed'

/** Milliseconds. They differ, so that the result of a later call is often available before that of an earlier one. */
const delays = [0, 3, 1, 0, 2]

/** Wraps every port of a storage so that it answers with promises, as an engine in another process does. */
export function createAsynchronousPorts() {
  const outages = new Set<PortMethod>()
  const calls = new Map<PortMethod, number>()
  let total = 0

  /** Makes the call now and delivers its result, or its error, in a later macrotask. */
  async function later<Result>(method: PortMethod, call: () => MaybePromise<Result>): Promise<Result> {
    calls.set(method, (calls.get(method) ?? 0) + 1)
    const delay = delays[total++ % delays.length] as number
    // Decided now: an outage that ends before the result is delivered has still failed the call.
    const result = outages.has(method)
      ? Promise.reject(new StorageUnavailable(new Error('simulated outage')))
      : (async () => call())()
    result.catch(() => {})
    await (delay === 0 ? new Promise<void>((resolve) => setImmediate(resolve)) : Bun.sleep(delay))
    return result
  }

  function wrap({
    users,
    revocations,
    messageLog,
    rateLimits,
    userSlots,
    loginGuard,
    ...rest
  }: Storage): Storage {
    const log: MessageLog = {
      ...messageLog,
      maxParallelReads: 4,
      append: (message) => later('messageLog.append', () => messageLog.append(message)),
      readAfter: (cursor, limit) => later('messageLog.readAfter', () => messageLog.readAfter(cursor, limit)),
      readBefore: (cursor, limit) =>
        later('messageLog.readBefore', () => messageLog.readBefore(cursor, limit)),
    }
    return {
      ...rest,
      users: {
        add: (username, hash) => later('users.add', () => users.add(username, hash)),
        find: (id) => later('users.find', () => users.find(id)),
        findCredentials: (username) => later('users.findCredentials', () => users.findCredentials(username)),
        isTaken: (username) => later('users.isTaken', () => users.isTaken(username)),
        rehash: (id, hashes) => later('users.rehash', () => users.rehash(id, hashes)),
        changePassword: (id, hashes) => later('users.changePassword', () => users.changePassword(id, hashes)),
        revokeTokens: (id) => later('users.revokeTokens', () => users.revokeTokens(id)),
        remove: (id, removal) => later('users.remove', () => users.remove(id, removal)),
        findRecord: (username) => later('users.findRecord', () => users.findRecord(username)),
        list: (after, limit) => later('users.list', () => users.list(after, limit)),
        version: users.version,
      },
      revocations: {
        revoke: (id, expiresAt) => later('revocations.revoke', () => revocations.revoke(id, expiresAt)),
        isRevoked: (id) => later('revocations.isRevoked', () => revocations.isRevoked(id)),
      },
      messageLog: log,
      rateLimits: {
        key: rateLimits.key,
        limiter(limit) {
          const limiter = rateLimits.limiter(limit)
          if (!limiter) return undefined
          const count: typeof limiter.count = (key, now) =>
            later('rateLimits.count', () => limiter.count(key, now))
          return { ...limiter, count }
        },
      },
      userSlots: {
        acquire: (id) => later('userSlots.acquire', () => userSlots.acquire(id)),
        release: userSlots.release,
      },
      loginGuard: {
        attempt: (username) => later('loginGuard.attempt', () => loginGuard.attempt(username)),
        succeed: (username) => later('loginGuard.succeed', () => loginGuard.succeed(username)),
      },
    }
  }

  return {
    wrap,
    /** The methods that fail with StorageUnavailable. */ outages,
    /** Calls per method. */ calls,
  }
}
