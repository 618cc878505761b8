import {
  binaryFrameCode,
  disconnectedCode,
  frameTooLargeCode,
  invalidTextCode,
  protocolErrorCode,
  rateLimitedCode,
  rateLimitedReason,
  refused401Code,
  refused403Code,
  refused503Code,
} from './contract.gen.ts'

/** What follows the end of a connection. */
export type NextStep =
  /** Connect again after the usual delay, but not before `minimumMs`. */
  | { readonly step: 'retry'; readonly minimumMs: number }
  /** Get a valid token first. The reason of the close frame says why. */
  | { readonly step: 'authorize' }
  /** The position is not valid: begin without it. */
  | { readonly step: 'restart' }
  /** The same frames would end the next connection as well. */
  | { readonly step: 'retry-without-frames' }
  /** The next attempt would end in the same way. */
  | { readonly step: 'stop' }

const retry = (minimumMs = 0): NextStep => ({ step: 'retry', minimumMs })

/** Implements the table "After a connection has ended" of the service's documentation. */
export function nextStep(code: number, reason: string, retryAfterSeconds: number | undefined): NextStep {
  switch (code) {
    case rateLimitedCode:
      if (reason === rateLimitedReason) return retry((retryAfterSeconds ?? 60) * 1000)
      return { step: reason === 'validation-failed' ? 'restart' : 'stop' }
    case refused503Code:
      return retry(5000)
    case refused401Code:
      return { step: 'authorize' }
    case protocolErrorCode:
    case binaryFrameCode:
    case invalidTextCode:
    case frameTooLargeCode:
      return { step: 'retry-without-frames' }
    case disconnectedCode:
    case refused403Code:
      return { step: 'stop' }
    default:
      return code >= 3000 && code < 4000 ? { step: 'stop' } : retry()
  }
}
