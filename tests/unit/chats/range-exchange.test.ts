import { expect, test } from 'bun:test'
import type { RedisClient } from 'bun'
import { createRedisRangeExchange } from '../../../src/chats/range-exchange.redis.ts'
import type { MessageRange } from '../../../src/chats/sequencer.ts'
import { createSignedRanges } from '../../../src/chats/signed-ranges.ts'
import type { Redis } from '../../../src/storage/redis/connection.ts'

const ranges = createSignedRanges({
  key: new Uint8Array(32),
  scope: '',
  encodeId: (sequence) => `${sequence}`,
})

const rangeOf = (sequence: number, frame: string): MessageRange => ({
  previous: sequence - 1,
  through: sequence,
  messages: [{ sequence, id: `${sequence}`, frame }],
})

/** Redis whose commands never complete, and which delivers only what a test delivers. */
async function openExchange() {
  const published: string[] = []
  const replaced: string[] = []
  const offered: MessageRange[] = []
  const errors: unknown[] = []
  let deliver = (_text: string) => {}
  const client = {
    publish(_channel: string, text: string) {
      published.push(text)
      return text.startsWith('beat ') ? Promise.resolve(1) : new Promise<number>(() => {})
    },
    async subscribe(_channel: string, listener: (text: string) => void) {
      deliver = listener
      return 1
    },
  } as unknown as RedisClient
  const redis: Redis = {
    connect({ name, prepare, onConnected }) {
      void prepare?.(client).then(onConnected)
      return {
        isConnected: () => true,
        run: (work) => work(client),
        replace: () => void replaced.push(name),
        close() {},
      }
    },
    reconnects: () => 0,
    close() {},
  }
  const open = createRedisRangeExchange({ redis, ranges, onError: (error) => errors.push(error) })
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  const exchange = open({
    session: 'own',
    isNew: (sequence) => !offered.some(({ through }) => through >= sequence),
    offer(range) {
      if (range.messages[0]?.frame === 'fails') throw new Error('a listener has failed')
      offered.push(range)
    },
    missed: resolve,
  })
  await connected
  return {
    ...exchange,
    published,
    replaced,
    offered,
    errors,
    deliver: (text: string) => deliver(text),
    [Symbol.dispose]: exchange.close,
  }
}

test('what Redis does not take is dropped beyond 8 MB, instead of kept in memory', async () => {
  using exchange = await openExchange()
  for (let sequence = 1; sequence <= 20; sequence++)
    exchange.publish(rangeOf(sequence, 'x'.repeat(1_000_000)))
  const length = exchange.published.reduce((sum, text) => sum + text.length, 0)
  expect(length).toBeGreaterThan(6_000_000)
  expect(length).toBeLessThanOrEqual(8_000_100)
})

test('a subscription on which nothing arrives is replaced, although it is connected', async () => {
  using exchange = await openExchange()
  while (exchange.replaced.length === 0) await Bun.sleep(10)
  expect(exchange.replaced[0]).toBe('parley-subscribe')
  expect(exchange.published).toContain('beat own')
})

test('a subscription on which beats arrive is kept', async () => {
  using exchange = await openExchange()
  for (let i = 0; i < 18; i++) {
    exchange.deliver('beat own')
    await Bun.sleep(100)
  }
  expect(exchange.replaced).toEqual([])
})

test('messages that were delivered before, among them the own ones, are not offered again', async () => {
  using exchange = await openExchange()
  const text = ranges.encode(rangeOf(1, '{}')) as string
  for (const each of [text, text, 'beat other', text]) exchange.deliver(each)
  expect(exchange.offered).toEqual([rangeOf(1, '{}')])
})

test('messages of a process are expected while its beats arrive', async () => {
  using exchange = await openExchange()
  expect([exchange.isReceiving(), exchange.isReceiving('other')]).toEqual([true, false])
  exchange.deliver('beat other')
  expect([exchange.isReceiving('other'), exchange.isReceiving('without Redis')]).toEqual([true, false])
  while (exchange.isReceiving('other')) await Bun.sleep(10)
  exchange.deliver('beat other')
  for (let i = 0; i < 1000; i++) exchange.deliver(`beat forged ${i}`)
  expect([exchange.isReceiving('other'), exchange.isReceiving('forged 999')]).toEqual([false, true])
})

test('a delivery that fails is reported, and the next one succeeds', async () => {
  using exchange = await openExchange()
  exchange.deliver(ranges.encode(rangeOf(1, 'fails')) as string)
  exchange.deliver(ranges.encode(rangeOf(2, '{}')) as string)
  expect(exchange.offered).toEqual([rangeOf(2, '{}')])
  expect(exchange.errors).toHaveLength(1)
})
