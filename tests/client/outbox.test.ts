import { expect, test } from 'bun:test'
import { ParleyError, responseError } from '../../client/src/errors.ts'
import { createOutbox, type OutboxOptions } from '../../client/src/outbox.ts'
import { closeCodes } from '../../src/contract/frames.ts'
import { until } from './support/restartable-service.ts'

function start(options: OutboxOptions = {}) {
  const written: string[] = []
  const outbox = createOutbox(options, {
    isOpen: () => true,
    write: (frame) => {
      const { event, message } = JSON.parse(frame)
      written.push(event === 'message' ? message : event)
    },
  })
  return { outbox, written }
}

const problem = (status: number, code: string) =>
  responseError({ status, code } as Parameters<typeof responseError>[0], { retryAfterSeconds: 0.001 })

test('refusals never follow each other as often as it takes to close the connection', async () => {
  const { refusals = 0 } = closeCodes['rate-limited']
  const { outbox, written } = start({ window: 100 })
  const texts = Array.from({ length: 20 }, (_, index) => `m${index}`)
  for (const text of texts) void outbox.add(text, { idempotencyKey: text })
  // All frames are refused, and the pings between them are not.
  for (let handled = 0; handled < 60; handled++) {
    await until(() => written.length > handled)
    const frame = written[handled] as string
    if (frame !== 'ping') outbox.fail(frame, problem(429, 'rate-limit-exceeded'))
  }
  const rows = written.join(' ').split('ping')
  expect(rows.length).toBeGreaterThan(10)
  expect(Math.max(...rows.map((row) => row.trim().split(' ').length))).toBeLessThan(refusals)
})

test('a message that the server fails to store is repeated, but not for ever', async () => {
  const { outbox, written } = start()
  const outcome = outbox.add('broken', { idempotencyKey: 'key' }).catch((error: unknown) => error)
  while (outbox.size > 0) {
    const frames = written.filter((frame) => frame === 'broken').length
    outbox.fail('key', problem(500, 'internal-error'))
    await until(() => outbox.size === 0 || written.filter((frame) => frame === 'broken').length > frames)
  }
  expect(written).toEqual(['broken', 'ping', 'broken', 'ping', 'broken'])
  expect(await outcome).toMatchObject({ code: 'internal-error', outcome: 'unknown' })
})

test('a message settles once, whatever follows', async () => {
  const { outbox } = start()
  const controller = new AbortController()
  const sent = outbox.add('once', { idempotencyKey: 'key', signal: controller.signal })
  const twice = outbox.add('once', { idempotencyKey: 'key' }).catch((error: unknown) => error)
  expect(await twice).toMatchObject({ code: 'idempotency-key-reused' })
  controller.abort()
  outbox.rejectAll()
  expect(outbox.fail('key', new ParleyError('network'))).toBe(false)
  expect(await sent.catch((error: unknown) => error)).toMatchObject({ code: 'aborted', outcome: 'unknown' })
  expect(outbox.size).toBe(0)
})
