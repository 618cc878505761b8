import { authenticateRateLimit, connectRateLimit, pingRateLimit } from './frames.ts'
import { allOperations } from './operations.ts'

/** The names of the rate-limit policies of both documents. */
export const policyNames: readonly string[] = [
  ...new Set([
    ...allOperations.map(({ rateLimit }) => rateLimit.policy),
    connectRateLimit.policy,
    pingRateLimit.policy,
    authenticateRateLimit.policy,
  ]),
]
