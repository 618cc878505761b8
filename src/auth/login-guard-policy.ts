import { allOperations } from '../contract/operations.ts'

const policy = allOperations.find(({ loginGuard }) => loginGuard)?.loginGuard
if (!policy) throw new Error('No operation of openapi.yaml declares x-login-guard')

/** The waits that the document defines, in seconds. */
export const loginGuardPolicy = {
  freeFailures: policy['free-failures'],
  firstWait: policy['first-wait'],
  longestWait: policy['longest-wait'],
  forgottenAfter: policy['forgotten-after'],
}
