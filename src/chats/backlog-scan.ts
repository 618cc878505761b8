import type { Connections } from './connections.ts'

/** The shortest time between two scans, in milliseconds: a scan examines all connections. */
const intervalMs = 100

/**
 * Creates a function that notes which clients have not read what they were sent. The close event of a connection
 * that Bun closes for this reason looks like that of a lost one, and at that time the number of bytes is zero.
 */
export function createBacklogScan(connections: Pick<Connections, 'values'>) {
  let scannedAt = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (now - scannedAt < intervalMs) return
    scannedAt = now
    for (const socket of connections.values()) socket.data.isBehind = socket.getBufferedAmount() > 0
  }
}
