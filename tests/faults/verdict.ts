import type { ChatMessage, Ledger } from './ledger.ts'

export interface Counts {
  acknowledged: number
  lost: number
  duplicated: number
  reordered: number
}

export interface Verdict extends Counts {
  /** What was found, in words; at most a few of each kind. */
  findings: string[]
}

/** What someone saw: by a socket with all its resumptions, or by reading page after page. */
export interface Witness {
  name: string
  saw: readonly ChatMessage[]
}

export interface Evidence {
  ledger: Ledger
  /** The log as it was read first. What it held once, it has to hold for ever, in this order. */
  history: readonly ChatMessage[]
  witnesses: readonly Witness[]
}

const findingsOfAKind = 3

export function noVerdict(): Verdict {
  return { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, findings: [] }
}

/** Adds one part's verdict to that of the whole. */
export function addVerdict(total: Verdict, part: string, verdict: Verdict): void {
  for (const kind of ['acknowledged', 'lost', 'duplicated', 'reordered'] as const)
    total[kind] += verdict[kind]
  total.findings.push(...verdict.findings.map((finding) => `${part}: ${finding}`))
}

export function judge({ ledger, history, witnesses }: Evidence): Verdict {
  const tally = createTally()
  judgeLog(ledger, history, tally)
  const places = new Map(history.map((message, index) => [message.id, index]))
  for (const witness of witnesses) judgeWitness(witness, history, places, tally)

  for (const complaint of ledger.complaints) tally.note('unexpected', complaint)

  let acknowledged = 0
  for (const sent of ledger.all()) if (sent.fate === 'acknowledged') acknowledged++
  return { acknowledged, ...tally.counts, findings: tally.findings }
}

function judgeLog(ledger: Ledger, history: readonly ChatMessage[], tally: Tally): void {
  const stored = new Set<string>()
  const lastOfLane = new Map<string, number>()
  for (const { id, message } of history) {
    const sent = ledger.find(message)
    if (!sent) {
      tally.note('invented', `the log has ${id}, which nobody sent: ${shorten(message)}`)
      continue
    }
    if (stored.has(message)) tally.note('duplicated', `the log has twice: ${shorten(message)}`)
    stored.add(message)
    if (sent.fate === 'refused') tally.note('refused', `the log has what was refused: ${shorten(message)}`)
    if (sent.number < (lastOfLane.get(sent.lane) ?? 0)) {
      tally.note('reordered', `the log has it after a later one of its sender: ${shorten(message)}`)
    }
    lastOfLane.set(sent.lane, Math.max(sent.number, lastOfLane.get(sent.lane) ?? 0))
  }
  for (const sent of ledger.all()) {
    if (sent.fate === 'acknowledged' && !stored.has(sent.text)) {
      tally.note('lost', `acknowledged, and not in the log: ${shorten(sent.text)}`)
    }
    if (sent.echoes > 1)
      tally.note('duplicated', `its sender got it ${sent.echoes} times: ${shorten(sent.text)}`)
  }
}

function judgeWitness(
  { name, saw }: Witness,
  history: readonly ChatMessage[],
  places: Map<string, number>,
  tally: Tally,
): void {
  const seen = new Set<string>()
  let furthest = -1
  for (const message of saw) {
    const place = places.get(message.id)
    if (place === undefined) {
      tally.note('lost', `${name} saw what the log does not have: ${message.id} ${shorten(message.message)}`)
      continue
    }
    if (!Bun.deepEquals(message, history[place])) {
      tally.note('altered', `${name} saw ${message.id} otherwise than the log has it`)
    }
    if (seen.has(message.id)) {
      tally.note('duplicated', `${name} saw twice: ${message.id} ${shorten(message.message)}`)
      continue
    }
    seen.add(message.id)
    if (place < furthest)
      tally.note('reordered', `${name} saw too late: ${message.id} ${shorten(message.message)}`)
    furthest = Math.max(furthest, place)
  }
  for (const message of history) {
    if (!seen.has(message.id))
      tally.note('lost', `${name} never saw ${message.id} ${shorten(message.message)}`)
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
    note(kind: keyof typeof counts | 'invented' | 'refused' | 'altered' | 'unexpected', finding: string) {
      if (kind in counts) counts[kind as keyof typeof counts]++
      const count = (noted.get(kind) ?? 0) + 1
      noted.set(kind, count)
      if (count <= findingsOfAKind) findings.push(finding)
    },
  }
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
