import { epochSeconds, monotonicSeconds } from '../clock.ts'
import { closeAfterSeconds, pingAfterSeconds } from '../contract/frames.ts'
import type { Authenticator } from '../http/gate.ts'
import type { ChatSocket } from './connection.ts'
import type { Connections } from './connections.ts'

/** Half of the second within which a revocation must take effect. */
const intervalMs = 500
const accountsPerTurn = 1000

interface SweepOptions {
  readonly connections: Connections
  readonly authenticator: Pick<Authenticator, 'validate' | 'accountsVersion'>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** How many pings a silence of some seconds has called for. */
const pingsIn = (silence: number) => Math.floor(silence / pingAfterSeconds)

/**
 * Pings a client that has been silent, and ends the connection if nothing arrives. Only data from the client
 * counts: Bun's idle timeout also counts outgoing data, so on a busy channel it never expires.
 *
 * @param before when the connections were last checked
 */
function checkLiveness(socket: ChatSocket, before: number, now: number): void {
  const { data } = socket
  const silence = now - data.heardAt
  if (silence >= closeAfterSeconds) {
    data.closing ??= 'silent-client'
    // No close frame: a client that does not respond would keep the connection, and its slot, until a timeout.
    socket.terminate()
  } else if (pingsIn(silence) > pingsIn(Math.max(0, before - data.heardAt))) {
    socket.ping()
  }
}

/** A pass over the connections, which checks their accounts. */
interface Round {
  /** The version of the accounts when the round began. */
  readonly version: number
  readonly sockets: SetIterator<ChatSocket>
  failed: boolean
}

/**
 * Closes, twice a second, the connections whose token has expired or was revoked, whose account has been
 * removed, or whose client has been silent for too long.
 */
export function startConnectionSweep({ connections, authenticator, onError }: SweepOptions) {
  let checkedVersion: number | undefined
  let round: Round | undefined
  let checking = false
  let sweptAt = monotonicSeconds()

  /** Accounts are checked only if any has changed, and in turns, so that the thread is not blocked. */
  async function checkAccounts(): Promise<void> {
    if (!round) {
      const version = authenticator.accountsVersion()
      if (version === checkedVersion) return
      round = { version, sockets: connections.values(), failed: false }
    }
    for (let checked = 1; ; checked++) {
      const { value: socket, done } = round.sockets.next()
      if (done) break
      try {
        const validity = authenticator.validate(socket.data.identity)
        const settled = validity instanceof Promise ? await validity : validity
        if (settled !== 'valid') connections.closeAfterPending(socket, settled)
      } catch (error) {
        // The next sweep continues with the next account, and a later round repeats the failed check.
        round.failed = true
        throw error
      }
      if (checked % accountsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    if (!round.failed) checkedVersion = round.version
    round = undefined
  }

  function sweep(): void {
    const [epoch, now] = [epochSeconds(), monotonicSeconds()]
    for (const socket of connections.values()) {
      if (socket.data.identity.expiresAt <= epoch) connections.closeAfterPending(socket, 'token-expired')
      checkLiveness(socket, sweptAt, now)
    }
    sweptAt = now
    if (checking) return
    checking = true
    checkAccounts()
      .catch(onError)
      .finally(() => {
        checking = false
      })
  }

  const timer = setInterval(sweep, intervalMs)
  return { stop: () => clearInterval(timer) }
}
