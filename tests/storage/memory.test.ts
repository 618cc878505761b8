import { createMemoryLoginGuard } from '../../src/auth/login-guard.memory.ts'
import { createMemoryRateLimits } from '../../src/limits/rate-limits.memory.ts'
import { limitStoreSuite } from './suites/limit-store.ts'
import { loginGuardSuite } from './suites/login-guard.ts'
import { rateLimitsSuite } from './suites/rate-limits.ts'
import { createLimitStoreModel } from './support/limit-store-model.ts'
import { sharedRateLimits } from './support/limits.ts'

loginGuardSuite({ name: 'memory', open: createMemoryLoginGuard })
rateLimitsSuite({ name: 'memory', open: createMemoryRateLimits })
rateLimitsSuite(sharedRateLimits('the model', (now) => createLimitStoreModel(now).connect))
limitStoreSuite({ name: 'the model', open: (now) => createLimitStoreModel(now).connect })
