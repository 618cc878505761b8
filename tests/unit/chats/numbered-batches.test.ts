import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type AttemptFailure, createNumberedBatches } from '../../../src/chats/numbered-batches.ts'
import { OutcomeUnknown, StorageUnavailable } from '../../../src/storage/errors.ts'

class Failure extends Error {
  readonly kind: AttemptFailure

  constructor(kind: AttemptFailure) {
    super(kind)
    this.kind = kind
  }
}

/** What happens to one call of the database. */
type Fate =
  | 'succeeds'
  /** The statement does not arrive. */
  | 'is not sent'
  /** It is executed, and the response is lost. */
  | 'loses the response'
  /** The connection is lost, and the statement is executed later, when it arrives after others. */
  | 'arrives late'

const fates: readonly Fate[] = ['succeeds', 'is not sent', 'loses the response', 'arrives late']

/** The record of batches in the database, as `append_batch` and `give_up_batch` keep it. */
function createDatabase(schedule: readonly Fate[]) {
  const stored: string[] = []
  const record = new Map<number, number | 'given up'>()
  const late: (() => void)[] = []
  let calls = 0

  function store(number: number, batch: string): number {
    const recorded = record.get(number)
    if (recorded === 'given up') throw new Failure('given-up')
    if (recorded !== undefined) return recorded
    stored.push(batch)
    record.set(number, stored.length)
    return stored.length
  }

  function giveUp(number: number): boolean {
    const recorded = record.get(number)
    if (recorded !== undefined) return recorded === 'given up'
    record.set(number, 'given up')
    return true
  }

  async function call<Value>(statement: () => Value): Promise<Value> {
    const fate = schedule[calls++] ?? 'succeeds'
    if (fate === 'is not sent') throw new Failure('not-stored')
    if (fate === 'arrives late') {
      late.push(statement)
      throw new Failure('unknown')
    }
    const value = statement()
    if (fate === 'loses the response') throw new Failure('unknown')
    return value
  }

  return {
    stored,
    store: (number: number, batch: string) => call(() => store(number, batch)),
    giveUp: (number: number) => call(() => giveUp(number)),
    /** Executes the statements that have not arrived yet. */
    deliverLate(): void {
      for (const statement of late.splice(0)) {
        try {
          statement()
        } catch {
          // The number was given up.
        }
      }
    },
  }
}

/** Time passes only while the code under test sleeps. */
function createBatches(database: Pick<ReturnType<typeof createDatabase>, 'store' | 'giveUp'>) {
  let time = 0
  const batches = createNumberedBatches<string, number>({
    ...database,
    classify: (error) => (error instanceof Failure ? error.kind : 'fault'),
    timeoutMs: 1000,
    now: () => time,
    async sleep(ms) {
      time += ms
    },
  })
  return {
    async store(batch: string): Promise<'stored' | 'not stored' | 'unknown'> {
      try {
        await batches.store(batch, time)
        return 'stored'
      } catch (error) {
        if (error instanceof StorageUnavailable) return 'not stored'
        if (error instanceof OutcomeUnknown) return 'unknown'
        throw error
      }
    },
    wait: (ms: number) => {
      time += ms
    },
    batches,
    now: () => time,
  }
}

test('whatever happens to the statements, each batch is stored at most once, in order, and as the sender was told', async () => {
  const schedules = fc.array(fc.constantFrom(...fates), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(schedules, fc.integer({ min: 1, max: 6 }), async (schedule, count) => {
      const database = createDatabase(schedule)
      const sender = createBatches(database)
      const sent = Array.from({ length: count }, (_, i) => `batch ${i}`)
      const told: string[] = []
      for (const batch of sent) told.push(await sender.store(batch))
      database.deliverLate()
      expect(database.stored).toEqual([...new Set(database.stored)].sort())
      for (const [index, batch] of sent.entries()) {
        if (told[index] === 'stored') expect(database.stored).toContain(batch)
        if (told[index] === 'not stored') expect(database.stored).not.toContain(batch)
      }
    }),
    { numRuns: 1000 },
  )
})

describe('a batch', () => {
  const times = (count: number, fate: Fate) => Array.from({ length: count }, () => fate)

  test('is stored once although its responses are lost', async () => {
    const database = createDatabase(times(4, 'loses the response'))
    expect(await createBatches(database).store('a')).toBe('stored')
    expect(database.stored).toEqual(['a'])
  })

  test('that may arrive late is given up, so that it is never stored', async () => {
    const schedule = times(40, 'arrives late')
    const database = createDatabase(schedule)
    const sender = createBatches(database)
    expect(await sender.store('a')).toBe('unknown')
    // The next batch is stored only after the number of the first was given up.
    schedule.length = 0
    expect(await sender.store('b')).toBe('stored')
    database.deliverLate()
    expect(database.stored).toEqual(['b'])
  })

  test('that was never sent is refused as not stored, without giving it up', async () => {
    let givenUp = 0
    const database = createDatabase(times(1000, 'is not sent'))
    const giveUp = () => {
      givenUp++
      return Promise.resolve(true)
    }
    expect(await createBatches({ ...database, giveUp }).store('a')).toBe('not stored')
    expect(givenUp).toBe(0)
  })

  test('that has waited too long is refused without an attempt', async () => {
    const database = createDatabase([])
    const sender = createBatches(database)
    const since = sender.now()
    sender.wait(1000)
    await expect(sender.batches.store('a', since)).rejects.toBeInstanceOf(StorageUnavailable)
    expect(database.stored).toEqual([])
  })

  test('that the database refuses fails at once with its error, and the next one is stored', async () => {
    const database = createDatabase([])
    let calls = 0
    const store = (number: number, batch: string) =>
      ++calls === 1 ? Promise.reject(new Failure('fault')) : database.store(number, batch)
    const sender = createBatches({ ...database, store })
    await expect(sender.batches.store('a', sender.now())).rejects.toBeInstanceOf(Failure)
    expect(await sender.store('b')).toBe('stored')
    expect([calls, database.stored]).toEqual([2, ['b']])
  })
})
