import { nowSeconds } from '../clock.ts'
import type { Authenticator } from '../http/gate.ts'
import type { Connections } from './connections.ts'

const intervalMs = 1000
const accountsPerSweep = 1000

interface SweepOptions {
  readonly connections: Connections
  readonly authenticator: Pick<Authenticator, 'isCurrent'>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** Closes, once a second, the connections whose token has expired or whose account has been removed. */
export function startConnectionSweep({ connections, authenticator, onError }: SweepOptions) {
  /** Accounts are checked in rounds of limited size, so that a sweep does not block the thread. */
  let round = connections.values()
  let checking = false

  async function checkAccounts(): Promise<void> {
    for (let checked = 0; checked < accountsPerSweep; checked++) {
      const { value: socket, done } = round.next()
      if (done) {
        round = connections.values()
        return
      }
      const current = authenticator.isCurrent(socket.data.identity)
      if (!(current instanceof Promise ? await current : current)) {
        connections.closeAfterPending(socket, 'account-removed')
      }
    }
  }

  function sweep(): void {
    const now = nowSeconds()
    for (const socket of connections.values()) {
      if (socket.data.identity.expiresAt <= now) connections.closeAfterPending(socket, 'token-expired')
    }
    if (checking) return
    checking = true
    // After a failure, the next sweep continues with the next account.
    checkAccounts()
      .catch(onError)
      .finally(() => {
        checking = false
      })
  }

  const timer = setInterval(sweep, intervalMs)
  return { stop: () => clearInterval(timer) }
}
