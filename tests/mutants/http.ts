import type { Mutant } from './list.ts'

const unit = 'tests/unit'

/** Changes of the HTTP pipeline, limits and the contract. */
export const httpMutants: readonly Mutant[] = [
  {
    id: 'public-keys-for-own-pages-only',
    breaks: 'Pages of every origin can read the public keys.',
    file: 'src/pages/jwks.ts',
    find: "        'access-control-allow-origin': '*',\n",
    replace: '',
    tests: [`${unit}/pages/jwks.test.ts`],
  },
  {
    id: 'malformed-tokens-are-verified',
    breaks: 'A token with white space or other characters is refused.',
    file: 'src/http/gate.ts',
    find: 'token.length <= maxLength && jws.test(token)',
    replace: 'token.length > 0 || jws.test(String(maxLength))',
    tests: [`${unit}/auth/token-cache.test.ts`],
  },
  {
    id: 'quota-plus-one',
    breaks: 'A policy admits its quota and no more.',
    file: 'src/limits/rate-limits.memory.ts',
    find: 'exceeded: used >= quota,',
    replace: 'exceeded: used > quota,',
    tests: [`tests/storage/memory.test.ts`],
  },
  {
    id: 'window-moves-with-each-request',
    breaks: 'A window ends a fixed time after its first request.',
    file: 'src/limits/rate-limits.memory.ts',
    find: 'table.set(slot, used + 1, expiry)',
    replace: 'table.set(slot, used + 1, time + window)',
    tests: [`tests/storage/memory.test.ts`],
  },
  {
    id: 'policies-share-a-count',
    breaks: 'Each policy has its own count.',
    file: 'src/limits/rate-limits.memory.ts',
    find: 'const key = { a: a ^ policyKey.a, b: b ^ policyKey.b }',
    replace: 'const key = { a: a ^ (policyKey.a & 0), b }',
    tests: [`tests/storage/memory.test.ts`, `${unit}/limits/rate-limits.test.ts`],
  },
  {
    id: 'forwarded-for-from-anyone',
    breaks: 'X-Forwarded-For counts only from a trusted proxy.',
    file: 'src/limits/client-address.ts',
    find: 'if (!isTrusted(peer)) {',
    replace: 'if (trustedProxies === undefined) {',
    tests: [`${unit}/limits/client-address.test.ts`],
  },
  {
    id: 'body-limit-only-declared',
    breaks: 'The body limit applies to chunked bodies.',
    file: 'src/http/request-body.ts',
    find: "    if (length > maxBytes) throw new ProblemError('content-too-large')\n    chunks",
    replace: '    chunks',
    tests: [`${unit}/http/hostile-bodies.test.ts`],
  },
  {
    id: 'responses-share-a-request-id',
    breaks: 'Each response has its own request id.',
    file: 'src/http/responses.ts',
    find: "        shared.set('x-request-id', requestId)\n",
    replace: "        if (!shared.has('x-request-id')) shared.set('x-request-id', requestId)\n",
    tests: [`${unit}/http/responses.test.ts`],
  },
  {
    id: 'origin-leaks-to-the-next-response',
    breaks: 'A page of another origin may not read a response, even after one that may.',
    file: 'src/http/responses.ts',
    find: '    if (value === undefined) headers.delete(name)\n    else',
    replace: '    if (value !== undefined)',
    tests: [`${unit}/http/responses.test.ts`],
  },
  {
    id: 'internal-errors-reveal-their-cause',
    breaks: 'The response to an unexpected error says nothing about its cause.',
    file: 'src/contract/problems.ts',
    find: '      detail,\n      instance',
    replace:
      "      detail: detail + String((this.cause as Error | undefined)?.message ?? ''),\n      instance",
    tests: [`${unit}/http/leaks.test.ts`],
  },
  {
    id: 'body-outlives-revocation',
    breaks: 'A request whose token is revoked while its body arrives is refused.',
    file: 'src/http/operation-routes.ts',
    find: '      if (bodyValidator && identity) {',
    replace: '      if (bodyValidator && identity && (false as boolean)) {',
    tests: [`${unit}/auth/revocation.test.ts`],
  },
]
