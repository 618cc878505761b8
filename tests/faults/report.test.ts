import { describe, expect, test } from 'bun:test'
import { type ChatMessage, createLedger } from './ledger.ts'
import { createRandom } from './random.ts'
import { createReport } from './report.ts'

/** Ten acknowledged messages of one sender, a log that contains them, and an observer that received all of them. */
function correctEvidence() {
  const ledger = createLedger()
  const random = createRandom(1)
  const history: ChatMessage[] = Array.from({ length: 10 }, (_, index) => {
    const sent = ledger.add('a sender', index + 1, random, false)
    sent.outcome = 'acknowledged'
    return {
      event: 'message',
      id: `log-${index}`,
      message: sent.text,
      user: { id: '1', username: 'someone' },
      sentAt: '2026-01-01T00:00:00.000Z',
    }
  })
  return { ledger, history, observers: [{ name: 'an observer', seen: [...history] }] }
}

type Evidence = ReturnType<typeof correctEvidence>

function countsAfter(change: (evidence: Evidence) => void) {
  const evidence = correctEvidence()
  change(evidence)
  const { findings, ...counts } = createReport(evidence)
  return { ...counts, found: findings.length > 0 }
}

const correct = { acknowledged: 10, lost: 0, duplicated: 0, reordered: 0, found: false }

/** Changes the log, and lets the observer receive exactly what the changed log contains. */
function changeLog(evidence: Evidence, change: (history: ChatMessage[]) => void) {
  change(evidence.history)
  evidence.observers = [{ name: 'an observer', seen: [...evidence.history] }]
}

describe('the report', () => {
  test('has no findings if nothing is wrong', () => {
    expect(countsAfter(() => {})).toEqual(correct)
  })

  test('counts an acknowledged message that is missing in the log as lost', () => {
    const counts = countsAfter((evidence) => changeLog(evidence, (history) => history.splice(4, 1)))
    expect(counts).toEqual({ ...correct, lost: 1, found: true })
  })

  test('counts a last message that an observer never received as lost', () => {
    const counts = countsAfter(({ observers }) => observers[0]?.seen.pop())
    expect(counts).toEqual({ ...correct, lost: 1, found: true })
  })

  test('counts a message that an observer received and the log does not contain as lost', () => {
    const counts = countsAfter(({ observers, history }) => {
      observers[0]?.seen.push({ ...(history[0] as ChatMessage), id: 'elsewhere-1' })
    })
    expect(counts).toEqual({ ...correct, lost: 1, found: true })
  })

  test('counts a message that is twice in the log as duplicated', () => {
    const counts = countsAfter((evidence) =>
      changeLog(evidence, (history) => history.push({ ...(history[9] as ChatMessage), id: 'log-10' })),
    )
    expect(counts).toEqual({ ...correct, duplicated: 1, found: true })
  })

  test('counts a message that an observer received twice as duplicated', () => {
    const counts = countsAfter(({ observers, history }) =>
      observers[0]?.seen.splice(5, 0, history[4] as ChatMessage),
    )
    expect(counts).toEqual({ ...correct, duplicated: 1, found: true })
  })

  test('counts a message that an observer received out of order as reordered', () => {
    const counts = countsAfter(({ observers, history }) => {
      observers[0]?.seen.splice(3, 2, history[4] as ChatMessage, history[3] as ChatMessage)
    })
    expect(counts).toEqual({ ...correct, reordered: 1, found: true })
  })

  test('counts a message that the log contains after a later one of the same sender as reordered', () => {
    const counts = countsAfter((evidence) =>
      changeLog(evidence, (history) => {
        history.splice(3, 2, history[4] as ChatMessage, history[3] as ChatMessage)
      }),
    )
    expect(counts).toEqual({ ...correct, reordered: 1, found: true })
  })

  test('reports a refused message in the log', () => {
    const counts = countsAfter(({ ledger, history }) => {
      const sent = ledger.find(history[2]?.message ?? '')
      if (sent) sent.outcome = 'refused'
    })
    expect(counts).toEqual({ ...correct, acknowledged: 9, found: true })
  })

  test('accepts that a message of unknown outcome is stored or not', () => {
    const counts = countsAfter((evidence) => {
      const { ledger, history } = evidence
      for (const index of [7, 9]) {
        const sent = ledger.find(history[index]?.message ?? '')
        if (sent) sent.outcome = 'unknown'
      }
      changeLog(evidence, (messages) => messages.pop())
    })
    expect(counts).toEqual({ ...correct, acknowledged: 8 })
  })

  test('reports a message that no client sent', () => {
    const counts = countsAfter((evidence) =>
      changeLog(evidence, (history) =>
        history.push({ ...(history[0] as ChatMessage), id: 'x-1', message: 'x' }),
      ),
    )
    expect(counts).toEqual({ ...correct, found: true })
  })

  test('reports a message that an observer received with another text', () => {
    const counts = countsAfter(({ observers, history }) => {
      observers[0]?.seen.splice(3, 1, { ...(history[3] as ChatMessage), message: 'x' })
    })
    expect(counts).toEqual({ ...correct, found: true })
  })
})
