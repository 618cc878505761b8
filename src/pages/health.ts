import { Elysia } from 'elysia'
import { unavailable } from '../contract/problems.ts'

interface HealthOptions {
  readonly isDraining: () => boolean
  readonly isReady: () => boolean
}

/** Liveness and readiness, for supervisors and load balancers. */
export const healthPages = ({ isDraining, isReady }: HealthOptions) =>
  new Elysia({ name: 'health' })
    .get('/livez', () => ({ status: 'live' }))
    .get('/readyz', () => {
      if (isDraining()) throw unavailable('shutting-down')
      if (!isReady()) throw unavailable('storage-unavailable')
      return { status: 'ready' }
    })
