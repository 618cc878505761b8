import { defaultRetryAfterSeconds, ProblemError } from '../contract/problems.ts'

/** The storage is temporarily unavailable. Nothing was stored, and a retry makes sense. */
export class StorageUnavailable extends ProblemError {
  constructor(cause: unknown) {
    super('storage-unavailable', { retryAfterSeconds: defaultRetryAfterSeconds, cause })
  }
}

/** The service cannot start with this storage. The message says why, and what the operator can do. */
export class UnusableStorage extends Error {}

/** The storage was taken away while the service was running. Only a restart helps; the message says how. */
export class LostStorage extends Error {}

/** The storage was replaced or has lost data. A restart continues with what there is, and clients learn of it. */
export class RestartRequired extends LostStorage {}

/** Redis cannot be reached, or does not respond. A command that was sent may have been executed. */
export class RedisUnavailable extends Error {}

/**
 * The connection to the storage was lost while a change was being made, and it cannot be determined whether
 * the change was made. A client may repeat a message with its idempotency key.
 */
export class OutcomeUnknown extends ProblemError {
  constructor(cause: unknown) {
    super('internal-error', { cause })
  }
}
