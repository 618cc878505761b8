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

test('a fast disk is flushed on this thread, also after a single slow flush', async () => {
  await using folder = await temporaryFolder()
  const { flush, setDuration, close } = await openSlowWal(join(folder.path, 'wal'))
  setDuration(0.9)
  expect(flush(3)).toBe('now now now')
  setDuration(20)
  expect(flush(1)).toBe('now')
  setDuration(0.9)
  expect(flush(1)).toBe('now')
  setDuration(20)
  expect(flush(1)).toBe('now')
  close()
})

test('a slow disk is flushed on another thread, and measured again from time to time', async () => {
  await using folder = await temporaryFolder()
  const { flush, setDuration, close } = await openSlowWal(join(folder.path, 'wal'))
  setDuration(1)
  expect(flush(3)).toBe('now now later')
  expect(flush(49)).not.toContain('now')
  expect(flush(51)).toBe(`now${' later'.repeat(50)}`)
  setDuration(0.2)
  expect(flush(4)).toBe('now now now now')
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
