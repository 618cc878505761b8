import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Lifetime, renderSoak, type Soak } from '../../bench/soak-report.ts'
import { compareWithStored } from '../../bench/soak-traffic.ts'

describe('the judgement of a soak', () => {
  const lifetime = (residentBytes: (index: number) => number, openFiles = (_: number) => 100): Lifetime => ({
    samples: Array.from({ length: 60 }, (_, index) => ({
      seconds: index,
      residentBytes: residentBytes(index),
      openFiles: openFiles(index),
    })),
  })
  const noise = (index: number) => (index % 7) * 1e6
  const flat = lifetime((index) => 100e6 + noise(index))
  const soak: Soak = {
    build: 'a build',
    lifetimes: [flat, flat],
    counts: { sends: 1 },
    findings: [],
    isQuick: false,
  }

  test('accepts memory and files that vary without a trend', () => {
    expect(renderSoak(soak)).toMatchObject({ passed: true })
  })

  test.each([
    ['memory', lifetime((index) => 100e6 + index * 0.3e6 + noise(index))],
    [
      'files',
      lifetime(
        (index) => 100e6 + noise(index),
        (index) => 100 + Math.floor(index / 10),
      ),
    ],
  ])('finds %s that grow', (_, growing) => {
    expect(renderSoak({ ...soak, lifetimes: [flat, growing] })).toMatchObject({ passed: false })
  })

  test('ignores the growth of a warm-up', () => {
    const warming = lifetime((index) => Math.min(index, 19) * 5e6 + 50e6)
    expect(renderSoak({ ...soak, lifetimes: [flat, warming] })).toMatchObject({ passed: true })
  })

  test('fails if messages were lost, also in a quick run', () => {
    const { passed, text } = renderSoak({ ...soak, isQuick: true, findings: ['One message is lost.'] })
    expect(passed).toBeFalse()
    expect(text).toContain('One message is lost.')
  })

  test('compares what was acknowledged with what is stored', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-soak-'))
    try {
      const file = join(folder, 'parley.sqlite')
      using database = new Database(file, { create: true })
      database.run('create table messages (frame text)')
      for (const message of ['a', 'b', 'b'])
        database.run('insert into messages values (?)', [JSON.stringify({ message })])
      expect(compareWithStored(file, new Set(['a']))).toEqual(['1 messages are stored more than once.'])
      expect(compareWithStored(file, new Set(['a', 'c']))).toContain('1 acknowledged messages are lost.')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
