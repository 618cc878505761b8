import { createMemoryLoginGuard } from '../../src/auth/login-guard.memory.ts'
import { createMemoryRateLimits } from '../../src/limits/rate-limits.memory.ts'
import { loginGuardSuite } from './suites/login-guard.ts'
import { rateLimitsSuite } from './suites/rate-limits.ts'

loginGuardSuite({ name: 'memory', open: createMemoryLoginGuard })
rateLimitsSuite({ name: 'memory', open: createMemoryRateLimits })
