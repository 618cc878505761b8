import { expect, test } from 'bun:test'
import { createRandom } from '../../faults/random.ts'
import { createLog, createSocket, idOf, idsOf, openReplayer, range, settle } from '../support/replays.ts'

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
