import { expect, test } from 'bun:test'
import { type ChatSocket, createConnection } from '../../../src/chats/connection.ts'
import { gone, type MessageLog } from '../../../src/chats/message-log.ts'
import { createReplayer } from '../../../src/chats/replayer.ts'
import type { Identity } from '../../../src/http/gate.ts'
import { createRandom } from '../../faults/random.ts'

interface TestFrame {
  readonly event: string
  readonly [name: string]: unknown
}

const idOf = (sequence: number) => String(sequence).padStart(5, '0')

/** A log of `length` messages in memory. Messages up to `trimmed` have been removed. */
function createLog(length: number, trimmed = 0) {
  const log = {
    length,
    trimmed,
    reads: 0,
    maxParallelReads: 1,
    head: () => idOf(log.length),
    async readAfter(cursor: string | undefined, limit: number) {
      log.reads++
      const after = cursor === undefined ? log.trimmed : Number(cursor)
      if (after < log.trimmed || after > log.length) return gone
      const sequences = Array.from({ length: log.length - after }, (_, i) => after + i + 1)
      const toMessage = (sequence: number) => {
        const id = idOf(sequence)
        return { id, frame: JSON.stringify({ event: 'message', id }) }
      }
      const more = sequences.length > limit
      const messages = sequences.slice(0, limit).map(toMessage)
      return { start: idOf(after), messages, end: more ? messages.at(-1)?.id : idOf(log.length), more }
    },
  }
  return log
}

interface SocketOptions {
  readonly cursor: string
  /** The bytes that wait for the client after it was sent a number of frames. */
  readonly buffered?: (sent: number) => number
}

function createSocket({ cursor, buffered = () => 0 }: SocketOptions) {
  const frames: TestFrame[] = []
  const socket = {
    data: createConnection({} as Identity, { cursor }),
    readyState: WebSocket.OPEN as number,
    send: (text: string) => void frames.push(JSON.parse(text)),
    cork: (send: () => void) => send(),
    getBufferedAmount: () => buffered(frames.length),
  }
  return { socket: socket as unknown as ChatSocket, frames, raw: socket }
}

const idsOf = (frames: readonly TestFrame[]) =>
  frames.filter(({ event }) => event === 'message').map(({ id }) => id)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => idOf(from + i))

function openReplayer(log: ReturnType<typeof createLog>, pauseBytes = 1000) {
  const caughtUp: ChatSocket[] = []
  const failed: ChatSocket[] = []
  const replayer = createReplayer({
    messageLog: log as unknown as MessageLog,
    pauseBytes,
    onCaughtUp: (socket) => void caughtUp.push(socket),
    onFailed: (socket) => void failed.push(socket),
  })
  return { ...replayer, caughtUp, failed }
}

/** Lets the event loop turn often enough for every replay that can continue. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

test('a replay over several pages sends each message once and in order, also at the page boundaries', async () => {
  const log = createLog(350)
  const { start, caughtUp } = openReplayer(log)
  const { socket, frames } = createSocket({ cursor: idOf(1) })
  start(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(2, 350))
  expect(caughtUp).toEqual([socket])
})

test('the frame caught-up is the last one, names the end of the log, and comes once', async () => {
  const { start } = openReplayer(createLog(250))
  const { socket, frames } = createSocket({ cursor: idOf(10) })
  start(socket)
  await settle()
  expect(frames.filter(({ event }) => event === 'caught-up')).toEqual([
    { event: 'caught-up', cursor: idOf(250) },
  ])
  expect(frames.at(-1)?.event).toBe('caught-up')
})

test('a message that is stored during the last page is replayed before caught-up', async () => {
  const log = createLog(20)
  const { start, caughtUp } = openReplayer(log)
  const { socket, frames, raw } = createSocket({ cursor: idOf(1) })
  raw.cork = (send) => {
    send()
    if (log.length === 20) log.length = 21
  }
  start(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(2, 21))
  expect(frames.at(-1)).toEqual({ event: 'caught-up', cursor: idOf(21) })
  expect(caughtUp).toHaveLength(1)
})

test('a client at the end of the log receives only caught-up', async () => {
  const { start, caughtUp } = openReplayer(createLog(5))
  const { socket, frames } = createSocket({ cursor: idOf(5) })
  start(socket)
  await settle()
  expect(frames).toEqual([{ event: 'caught-up', cursor: idOf(5) }])
  expect(caughtUp).toHaveLength(1)
  expect(socket.data.replay).toBeUndefined()
})

test('several clients take turns, page by page', async () => {
  const { start, caughtUp } = openReplayer(createLog(1000))
  const [long, short] = [createSocket({ cursor: idOf(1) }), createSocket({ cursor: idOf(990) })]
  start(long.socket)
  start(short.socket)
  await settle()
  expect(caughtUp).toEqual([short.socket, long.socket])
  expect(idsOf(long.frames)).toEqual(range(2, 1000))
  expect(idsOf(short.frames)).toEqual(range(991, 1000))
})

/** A log whose reads end when the test lets them, in any order. `reading` has the cursors of the current ones. */
function createSlowLog(length: number, maxParallelReads: number) {
  const log = createLog(length)
  const { readAfter } = log
  const reading = new Map<string, PromiseWithResolvers<void>>()
  let highest = 0
  return {
    reading,
    highest: () => highest,
    /** Ends the read after a cursor, and lets the replayer continue. */
    async finish(cursor: string, error?: Error) {
      const read = reading.get(cursor)
      if (!read) throw new Error(`No page is read after ${cursor}`)
      if (error) read.reject(error)
      else read.resolve()
      await settle()
    },
    log: Object.assign(log, {
      maxParallelReads,
      async readAfter(cursor: string | undefined, limit: number) {
        const read = Promise.withResolvers<void>()
        const key = cursor ?? ''
        // Each client of these tests is at another place, so the same cursor means the same client.
        if (reading.has(key)) throw new Error(`Two pages are read after ${key}`)
        reading.set(key, read)
        highest = Math.max(highest, reading.size)
        await read.promise.finally(() => reading.delete(key))
        return readAfter(cursor, limit)
      },
    }),
  }
}

test('pages of several clients are read at the same time, but not more than the log allows', async () => {
  const { log, reading, finish, highest } = createSlowLog(1000, 3)
  const { start, caughtUp } = openReplayer(log)
  const clients = [701, 752, 803, 854, 905].map((sequence) => createSocket({ cursor: idOf(sequence) }))
  for (const { socket } of clients) start(socket)
  await settle()
  expect([...reading.keys()]).toEqual([idOf(701), idOf(752), idOf(803)])
  // The page of the second client arrives first, and its next one has to wait until the others had their turns.
  await finish(idOf(752))
  expect(idsOf(clients[1]?.frames ?? [])).toEqual(range(753, 852))
  expect([...reading.keys()]).toEqual([idOf(701), idOf(803), idOf(854)])
  await finish(idOf(803))
  await finish(idOf(701))
  expect([...reading.keys()]).toEqual([idOf(854), idOf(905), idOf(852)])
  while (reading.size > 0) await finish([...reading.keys()].at(-1) ?? '')
  expect(highest()).toBe(3)
  expect(caughtUp).toHaveLength(5)
  for (const [index, from] of [702, 753, 804, 855, 906].entries())
    expect(idsOf(clients[index]?.frames ?? [])).toEqual(range(from, 1000))
})

test('each client receives its messages in order, in whatever order the pages arrive', async () => {
  const random = createRandom(7)
  const { log, reading, finish, highest } = createSlowLog(900, 4)
  const { start, caughtUp } = openReplayer(log)
  const firsts = Array.from({ length: 12 }, (_, index) => index * 17)
  const clients = firsts.map((sequence) => createSocket({ cursor: idOf(sequence) }))
  for (const { socket } of clients) start(socket)
  await settle()
  while (reading.size > 0) await finish(random.pick([...reading.keys()]))
  expect(highest()).toBe(4)
  expect(caughtUp).toHaveLength(12)
  for (const [index, { frames }] of clients.entries())
    expect(idsOf(frames)).toEqual(range((firsts[index] ?? 0) + 1, 900))
})

test('a client that closes or fails during its read makes room for the next one, and receives nothing', async () => {
  const { log, reading, finish } = createSlowLog(50, 2)
  const { start, caughtUp, failed } = openReplayer(log)
  const clients = [10, 20, 30, 40].map((sequence) => createSocket({ cursor: idOf(sequence) }))
  const [closing, failing, third, fourth] = clients
  for (const { socket } of clients) start(socket)
  await settle()
  expect([...reading.keys()]).toEqual([idOf(10), idOf(20)])
  if (closing) closing.raw.readyState = WebSocket.CLOSED
  await finish(idOf(10))
  expect([...reading.keys()]).toEqual([idOf(20), idOf(30)])
  await finish(idOf(20), new Error('outage'))
  expect([...reading.keys()]).toEqual([idOf(30), idOf(40)])
  await finish(idOf(30))
  await finish(idOf(40))
  expect(closing?.frames).toEqual([])
  expect(failed.map((socket) => socket === failing?.socket)).toEqual([true])
  expect(caughtUp.map((socket) => [third?.socket, fourth?.socket].indexOf(socket))).toEqual([0, 1])
})

test('a log that reads one page at a time lets a client that connects during a read wait for its turn', async () => {
  const log = createLog(1000)
  const { start } = openReplayer(log)
  let reading = 0
  let highest = 0
  const { readAfter } = log
  log.readAfter = async (cursor, limit) => {
    highest = Math.max(highest, ++reading)
    await Bun.sleep(1)
    const page = await readAfter(cursor, limit)
    reading--
    return page
  }
  const clients = Array.from({ length: 5 }, () => createSocket({ cursor: idOf(800) }))
  for (const { socket } of clients) {
    start(socket)
    await Bun.sleep(0)
  }
  while (clients.some(({ socket }) => socket.data.replay)) await Bun.sleep(1)
  expect(highest).toBe(1)
  for (const { frames } of clients) expect(idsOf(frames)).toEqual(range(801, 1000))
})

test('a replay that starts after all others have ended is served', async () => {
  const { start, caughtUp } = openReplayer(createLog(10))
  for (const expected of [1, 2, 3]) {
    start(createSocket({ cursor: idOf(1) }).socket)
    await settle()
    expect(caughtUp).toHaveLength(expected)
  }
})

test('a failed read is reported for its client, and the other clients continue', async () => {
  const log = createLog(10)
  const { start, caughtUp, failed } = openReplayer(log)
  const { readAfter } = log
  const [failing, other] = [createSocket({ cursor: idOf(3) }), createSocket({ cursor: idOf(1) })]
  log.readAfter = async (cursor, limit) => {
    if (cursor === idOf(3)) throw new Error('outage')
    return readAfter(cursor, limit)
  }
  start(failing.socket)
  start(other.socket)
  await settle()
  expect(failed).toEqual([failing.socket])
  expect(caughtUp).toEqual([other.socket])
})

test('a replay pauses when too much waits for the client, and continues without loss once it has read', async () => {
  const { start, drained, caughtUp } = openReplayer(createLog(60), 1000)
  let read = 0
  const { socket, frames } = createSocket({ cursor: idOf(0), buffered: (sent) => (sent - read) * 100 })
  start(socket)
  await settle()
  // The eleventh frame exceeds 1000 bytes.
  expect(idsOf(frames)).toEqual(range(1, 11))
  expect(caughtUp).toEqual([])
  while (caughtUp.length === 0) {
    const before = frames.length
    read = frames.length
    drained(socket)
    await settle()
    expect(frames.length).toBeGreaterThan(before)
    expect(frames.length - read).toBeLessThanOrEqual(12)
  }
  expect(idsOf(frames)).toEqual(range(1, 60))
})

test('a replay that pauses within a page continues with the next message', async () => {
  const { start, drained, caughtUp } = openReplayer(createLog(60), 1000)
  let limit = 25
  const { socket, frames } = createSocket({
    cursor: idOf(10),
    buffered: (sent) => (sent >= limit ? 2000 : 0),
  })
  start(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(11, 35))
  limit = 1000
  drained(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(11, 60))
  expect(caughtUp).toEqual([socket])
})

test('a pause between two pages lasts until the client has read, and a further drain adds no turn', async () => {
  const log = createLog(250)
  const { start, drained } = openReplayer(log, 1_000_000)
  let buffered = 1
  const { socket, frames } = createSocket({ cursor: idOf(0), buffered: () => buffered })
  start(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(1, 100))
  drained(socket)
  drained(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(1, 200))
  buffered = 0
  drained(socket)
  await settle()
  expect(idsOf(frames)).toEqual(range(1, 250))
})

test('a cursor whose successors were removed starts with a gap that names the oldest message and a cursor', async () => {
  const { start } = openReplayer(createLog(150, 20))
  const { socket, frames } = createSocket({ cursor: idOf(3) })
  start(socket)
  await settle()
  expect(frames[0]).toEqual({ event: 'gap', oldest: idOf(21), cursor: idOf(20) })
  expect(frames.filter(({ event }) => event === 'gap')).toHaveLength(1)
  expect(idsOf(frames)).toEqual(range(21, 150))
  expect(frames.at(-1)?.event).toBe('caught-up')
})

test('a gap without stored messages has no oldest one, and its cursor is the end of the log', async () => {
  const { start, caughtUp } = openReplayer(createLog(20, 20))
  const { socket, frames } = createSocket({ cursor: idOf(3) })
  start(socket)
  await settle()
  expect(frames).toEqual([
    { event: 'gap', oldest: null, cursor: idOf(20) },
    { event: 'caught-up', cursor: idOf(20) },
  ])
  expect(caughtUp).toHaveLength(1)
})

test('messages that are removed between two pages are reported as a gap', async () => {
  const log = createLog(300)
  const { start } = openReplayer(log)
  const { socket, frames, raw } = createSocket({ cursor: idOf(0) })
  raw.cork = (send) => {
    send()
    if (log.trimmed === 0) log.trimmed = 150
  }
  start(socket)
  await settle()
  expect(idsOf(frames)).toEqual([...range(1, 100), ...range(151, 300)])
  expect(frames[100]).toEqual({ event: 'gap', oldest: idOf(151), cursor: idOf(150) })
})

test('nothing is sent to a connection that has closed', async () => {
  const log = createLog(10)
  const { start, caughtUp } = openReplayer(log)
  const { socket, frames, raw } = createSocket({ cursor: idOf(1) })
  raw.readyState = WebSocket.CLOSED
  start(socket)
  await settle()
  expect(frames).toEqual([])
  expect(caughtUp).toEqual([])
})
