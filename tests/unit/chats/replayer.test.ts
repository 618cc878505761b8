import { expect, test } from 'bun:test'
import { createLog, createSocket, idOf, idsOf, openReplayer, range, settle } from '../support/replays.ts'

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
  const { start } = openReplayer(createLog(250))
  const turns: string[] = []
  for (const name of ['first', 'second']) {
    const { socket, raw } = createSocket({ cursor: idOf(0) })
    raw.cork = (send) => {
      turns.push(name)
      send()
    }
    start(socket)
  }
  await settle()
  expect(turns).toEqual(['first', 'second', 'first', 'second', 'first', 'second'])
})

test('a client that has missed little does not wait for one that has missed much', async () => {
  const { start, caughtUp } = openReplayer(createLog(1000))
  const [long, short] = [createSocket({ cursor: idOf(1) }), createSocket({ cursor: idOf(990) })]
  start(long.socket)
  start(short.socket)
  await settle()
  expect(caughtUp).toEqual([short.socket, long.socket])
  expect(idsOf(long.frames)).toEqual(range(2, 1000))
  expect(idsOf(short.frames)).toEqual(range(991, 1000))
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
