import {
  binaryFrameCode,
  disconnectedCode,
  frameTooLargeCode,
  invalidTextCode,
  protocolErrorCode,
  rateLimitedCode,
  rateLimitedReason,
  refused401Code,
  refused503Code,
} from './contract.gen.ts'

/**
 * What follows the end of a connection:
 * - a number: connect again after the usual delay, and at least that number of milliseconds
 * - `discard`: the same, but the same frames would end the next connection as well
 * - `restart`: the same, but the position is not valid
 * - `authorize`: get a valid token first; the reason of the close frame says why
 * - `stop`: the next attempt would end in the same way
 */
export type NextStep = number | 'discard' | 'restart' | 'authorize' | 'stop'

/** Implements the table "After a connection has ended" of the service's documentation. */
export function nextStep(code: number, reason: string, retryAfterSeconds = 60): NextStep {
  switch (code) {
    case rateLimitedCode:
      if (reason === rateLimitedReason) return retryAfterSeconds * 1000
      return reason === 'validation-failed' ? 'restart' : 'stop'
    case refused503Code:
      return 5000
    case refused401Code:
      return 'authorize'
    case protocolErrorCode:
    case binaryFrameCode:
    case invalidTextCode:
    case frameTooLargeCode:
      return 'discard'
    case disconnectedCode:
      return 'stop'
    default:
      // Includes the refusal of the page's origin, and codes that a later release may add.
      return code >= 3000 && code < 4000 ? 'stop' : 0
  }
}
