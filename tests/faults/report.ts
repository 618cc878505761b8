import type { ChatMessage, Ledger } from './ledger.ts'

export interface Counts {
  acknowledged: number
  lost: number
  duplicated: number
  reordered: number
}

export interface Report extends Counts {
  /** Descriptions of what went wrong, at most three of each kind. */
  findings: string[]
}

/** The messages that a client received, by WebSocket and its resumptions, or by reading all pages. */
export interface Observer {
  name: string
  seen: readonly ChatMessage[]
}

export interface Evidence {
  ledger: Ledger
  /** The messages of the log, each as it was first read. The log must keep them in this order. */
  history: readonly ChatMessage[]
  observers: readonly Observer[]
}

const maxFindingsPerKind = 3

export function emptyReport(): Report {
  return { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, findings: [] }
}

/** Adds the report of one part to the total. */
export function addReport(total: Report, part: string, report: Report): void {
  for (const kind of ['acknowledged', 'lost', 'duplicated', 'reordered'] as const) total[kind] += report[kind]
  total.findings.push(...report.findings.map((finding) => `${part}: ${finding}`))
}

export function createReport({ ledger, history, observers }: Evidence): Report {
  const tally = createTally()
  checkLog(ledger, history, tally)
  const places = new Map(history.map((message, index) => [message.id, index]))
  for (const observer of observers) checkObserver(observer, history, places, tally)

  for (const finding of ledger.unexpected) tally.add('unexpected', finding)

  let acknowledged = 0
  for (const sent of ledger.all()) if (sent.outcome === 'acknowledged') acknowledged++
  return { acknowledged, ...tally.counts, findings: tally.findings }
}

function checkLog(ledger: Ledger, history: readonly ChatMessage[], tally: Tally): void {
  const stored = new Set<string>()
  const lastOfSender = new Map<string, number>()
  for (const { id, message } of history) {
    const sent = ledger.find(message)
    if (!sent) {
      tally.add('invented', `the log has ${id}, which no client sent: ${shorten(message)}`)
      continue
    }
    if (stored.has(message)) tally.add('duplicated', `twice in the log: ${shorten(message)}`)
    stored.add(message)
    if (sent.outcome === 'refused') tally.add('refused', `refused, but in the log: ${shorten(message)}`)
    if (sent.number < (lastOfSender.get(sent.sender) ?? 0)) {
      tally.add('reordered', `in the log after a later message of the same sender: ${shorten(message)}`)
    }
    lastOfSender.set(sent.sender, Math.max(sent.number, lastOfSender.get(sent.sender) ?? 0))
  }
  for (const sent of ledger.all()) {
    if (sent.outcome === 'acknowledged' && !stored.has(sent.text)) {
      tally.add('lost', `acknowledged, but not in the log: ${shorten(sent.text)}`)
    }
    if (sent.broadcasts > 1)
      tally.add('duplicated', `broadcast ${sent.broadcasts} times to its sender: ${shorten(sent.text)}`)
  }
}

function checkObserver(
  { name, seen: received }: Observer,
  history: readonly ChatMessage[],
  places: Map<string, number>,
  tally: Tally,
): void {
  const seen = new Set<string>()
  let furthest = -1
  for (const message of received) {
    const place = places.get(message.id)
    if (place === undefined) {
      tally.add(
        'lost',
        `${name} received a message that is not in the log: ${message.id} ${shorten(message.message)}`,
      )
      continue
    }
    if (!Bun.deepEquals(message, history[place])) {
      tally.add('altered', `${name} received ${message.id} with another content than in the log`)
    }
    if (seen.has(message.id)) {
      tally.add('duplicated', `${name} received twice: ${message.id} ${shorten(message.message)}`)
      continue
    }
    seen.add(message.id)
    if (place < furthest)
      tally.add('reordered', `${name} received out of order: ${message.id} ${shorten(message.message)}`)
    furthest = Math.max(furthest, place)
  }
  for (const message of history) {
    if (!seen.has(message.id))
      tally.add('lost', `${name} never received ${message.id} ${shorten(message.message)}`)
  }
}

type Tally = ReturnType<typeof createTally>

function createTally() {
  const counts = { lost: 0, duplicated: 0, reordered: 0 }
  const findings: string[] = []
  const noted = new Map<string, number>()
  return {
    counts,
    findings,
    add(kind: keyof typeof counts | 'invented' | 'refused' | 'altered' | 'unexpected', finding: string) {
      if (kind in counts) counts[kind as keyof typeof counts]++
      const count = (noted.get(kind) ?? 0) + 1
      noted.set(kind, count)
      if (count <= maxFindingsPerKind) findings.push(finding)
    },
  }
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
