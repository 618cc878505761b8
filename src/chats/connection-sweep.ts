import { epochSeconds, monotonicSeconds } from '../clock.ts'
import { closeAfterSeconds, pingAfterSeconds } from '../contract/frames.ts'
import type { Authenticator } from '../http/gate.ts'
import type { ChatSocket } from './connection.ts'
import type { Connections } from './connections.ts'

const intervalMs = 1000
const accountsPerSweep = 1000

interface SweepOptions {
  readonly connections: Connections
  readonly authenticator: Pick<Authenticator, 'isCurrent'>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/**
 * Pings a client that has been silent, and ends the connection if nothing arrives. Only data from the client
 * counts: Bun's idle timeout also counts outgoing data, so on a busy channel it never expires.
 */
function checkLiveness(socket: ChatSocket, now: number): void {
  const { data } = socket
  const silence = now - data.heardAt
  // No close frame: a client that does not respond would keep the connection, and its slot, until a timeout.
  if (silence >= closeAfterSeconds) socket.terminate()
  else if (silence >= pingAfterSeconds * (data.pings + 1)) {
    data.pings++
    socket.ping()
  }
}

/**
 * Closes, once a second, the connections whose token has expired, whose account has been removed, or whose
 * client has been silent for too long.
 */
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
    const [epoch, now] = [epochSeconds(), monotonicSeconds()]
    for (const socket of connections.values()) {
      if (socket.data.identity.expiresAt <= epoch) connections.closeAfterPending(socket, 'token-expired')
      checkLiveness(socket, now)
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
