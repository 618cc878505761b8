import { describe, expect, test } from 'bun:test'
import { createChance } from './chance.ts'
import { type ChatMessage, createLedger } from './ledger.ts'
import { judge } from './verdict.ts'

/** Ten acknowledged messages of one sender, the log that has them, and one witness who saw it all. */
function soundEvidence() {
  const ledger = createLedger()
  const chance = createChance(1)
  const history: ChatMessage[] = Array.from({ length: 10 }, (_, index) => {
    const sent = ledger.write('a sender', index + 1, chance, false)
    sent.fate = 'acknowledged'
    return {
      event: 'message',
      id: `log-${index}`,
      message: sent.text,
      user: { id: '1', username: 'someone' },
      sentAt: '2026-01-01T00:00:00.000Z',
    }
  })
  return { ledger, history, witnesses: [{ name: 'a witness', saw: [...history] }] }
}

type Evidence = ReturnType<typeof soundEvidence>

function countsAfter(plant: (evidence: Evidence) => void) {
  const evidence = soundEvidence()
  plant(evidence)
  const { findings, ...counts } = judge(evidence)
  return { ...counts, found: findings.length > 0 }
}

const sound = { acknowledged: 10, lost: 0, duplicated: 0, reordered: 0, found: false }

/** The witness saw what the log has, in a log that is wrong itself. */
function plantInLog(evidence: Evidence, change: (history: ChatMessage[]) => void) {
  change(evidence.history)
  evidence.witnesses = [{ name: 'a witness', saw: [...evidence.history] }]
}

describe('the judge', () => {
  test('finds nothing where nothing is wrong', () => {
    expect(countsAfter(() => {})).toEqual(sound)
  })

  test('counts an acknowledged message that the log lost', () => {
    const counts = countsAfter((evidence) => plantInLog(evidence, (history) => history.splice(4, 1)))
    expect(counts).toEqual({ ...sound, lost: 1, found: true })
  })

  test('counts the last message that a witness never saw', () => {
    const counts = countsAfter(({ witnesses }) => witnesses[0]?.saw.pop())
    expect(counts).toEqual({ ...sound, lost: 1, found: true })
  })

  test('counts a message that a witness saw, and the log lost', () => {
    const counts = countsAfter(({ witnesses, history }) => {
      witnesses[0]?.saw.push({ ...(history[0] as ChatMessage), id: 'elsewhere-1' })
    })
    expect(counts).toEqual({ ...sound, lost: 1, found: true })
  })

  test('counts a message that the log stored twice', () => {
    const counts = countsAfter((evidence) =>
      plantInLog(evidence, (history) => history.push({ ...(history[9] as ChatMessage), id: 'log-10' })),
    )
    expect(counts).toEqual({ ...sound, duplicated: 1, found: true })
  })

  test('counts a message that a witness got twice', () => {
    const counts = countsAfter(({ witnesses, history }) =>
      witnesses[0]?.saw.splice(5, 0, history[4] as ChatMessage),
    )
    expect(counts).toEqual({ ...sound, duplicated: 1, found: true })
  })

  test('counts a message that a witness got too late', () => {
    const counts = countsAfter(({ witnesses, history }) => {
      witnesses[0]?.saw.splice(3, 2, history[4] as ChatMessage, history[3] as ChatMessage)
    })
    expect(counts).toEqual({ ...sound, reordered: 1, found: true })
  })

  test('counts a message that the log stored after a later one of its sender', () => {
    const counts = countsAfter((evidence) =>
      plantInLog(evidence, (history) => {
        history.splice(3, 2, history[4] as ChatMessage, history[3] as ChatMessage)
      }),
    )
    expect(counts).toEqual({ ...sound, reordered: 1, found: true })
  })

  test('finds a refused message in the log', () => {
    const counts = countsAfter(({ ledger, history }) => {
      const sent = ledger.find(history[2]?.message ?? '')
      if (sent) sent.fate = 'refused'
    })
    expect(counts).toEqual({ ...sound, acknowledged: 9, found: true })
  })

  test('lets a message of unknown fate be stored or not', () => {
    const counts = countsAfter((evidence) => {
      const { ledger, history } = evidence
      for (const index of [7, 9]) {
        const sent = ledger.find(history[index]?.message ?? '')
        if (sent) sent.fate = 'unknown'
      }
      plantInLog(evidence, (messages) => messages.pop())
    })
    expect(counts).toEqual({ ...sound, acknowledged: 8 })
  })

  test('finds a message that nobody sent', () => {
    const counts = countsAfter((evidence) =>
      plantInLog(evidence, (history) =>
        history.push({ ...(history[0] as ChatMessage), id: 'x-1', message: 'x' }),
      ),
    )
    expect(counts).toEqual({ ...sound, found: true })
  })

  test('finds a message that a witness saw with another text', () => {
    const counts = countsAfter(({ witnesses, history }) => {
      witnesses[0]?.saw.splice(3, 1, { ...(history[3] as ChatMessage), message: 'x' })
    })
    expect(counts).toEqual({ ...sound, found: true })
  })
})
