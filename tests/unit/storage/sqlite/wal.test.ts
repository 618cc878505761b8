import { expect, test } from 'bun:test'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { openWal } from '../../../../src/storage/sqlite/wal.ts'
import { temporaryFolder } from '../../support/service.ts'

/** The log of a disk whose flushes take `flushMs`. `flush` returns where it was flushed. */
async function openSlowWal(path: string) {
  await Bun.write(path, '')
  let [now, flushMs] = [0, 0]
  const wal = openWal(path, {
    clock: { monotonicMs: () => now },
    flushFile: {
      now() {
        now += flushMs
      },
      later: async () => {},
    },
  })
  return {
    close: wal.close,
    setDuration(ms: number): void {
      flushMs = ms
    },
    flush: (count: number) =>
      Array.from({ length: count }, () => (wal.flush() instanceof Promise ? 'later' : 'now')).join(' '),
  }
}

test.each([
  ['takes less than a millisecond', [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]],
  ['is interrupted once for long', [20, 0.9, 20, 0.9]],
  ['takes a little longer a few times in a row', [1.5, 2, 2, 1, 3, 0.9, 1.5, 2, 2, 1, 3]],
])('a disk that %s is flushed on this thread', async (_, durations) => {
  await using folder = await temporaryFolder()
  const { flush, setDuration, close } = await openSlowWal(join(folder.path, 'wal'))
  for (const duration of durations) {
    setDuration(duration)
    expect(flush(1)).toBe('now')
  }
  close()
})

test.each([
  [1, 10],
  [2.5, 4],
  [1000, 2],
])('after flushes of %d ms, the %dth was the last one on this thread', async (duration, count) => {
  await using folder = await temporaryFolder()
  const { flush, setDuration, close } = await openSlowWal(join(folder.path, 'wal'))
  setDuration(duration)
  expect(flush(count)).not.toContain('later')
  expect(flush(1)).toBe('later')
  close()
})

test('a slow disk is measured again from time to time', async () => {
  await using folder = await temporaryFolder()
  const { flush, setDuration, close } = await openSlowWal(join(folder.path, 'wal'))
  setDuration(5)
  expect(flush(3)).toBe('now now later')
  expect(flush(49)).not.toContain('now')
  expect(flush(51)).toBe(`now${' later'.repeat(50)}`)
  setDuration(0.2)
  expect(flush(4)).toBe('now now now now')
  setDuration(5)
  expect(flush(3)).toBe('now now later')
  close()
})

test('closing twice does not close a file that was opened in between', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'wal')
  const { close } = await openSlowWal(path)
  close()
  const descriptor = openSync(path, 'r')
  close()
  expect(fstatSync(descriptor).size).toBe(0)
  closeSync(descriptor)
})
