import type { ChatMessage } from '../faults/ledger.ts'

/**
 * What the sender knows: `acknowledged` if a node confirmed the message, `refused` if every attempt was answered
 * by "not stored", and otherwise `unknown`.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

export interface Sent {
  /** Sends its messages one after the other. */
  readonly sender: string
  readonly number: number
  readonly text: string
  outcome: Outcome
}

/** What one client received, over all of its connections to all nodes. */
export interface Observed {
  readonly name: string
  /** Clients start after this message. */
  readonly after: string
  /** The frames, in the order of their arrival. */
  readonly frames: readonly string[]
}

export interface Verdict {
  acknowledged: number
  lost: number
  duplicated: number
  reordered: number
  findings: string[]
}

function countTexts(log: readonly ChatMessage[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { message } of log) counts.set(message, (counts.get(message) ?? 0) + 1)
  return counts
}

function checkSent(log: readonly ChatMessage[], sent: readonly Sent[], verdict: Verdict): void {
  const counts = countTexts(log)
  for (const { text, outcome } of sent) {
    const count = counts.get(text) ?? 0
    if (outcome === 'acknowledged') verdict.acknowledged++
    if (outcome === 'acknowledged' && count === 0) verdict.lost++
    if (outcome === 'refused' && count > 0) verdict.findings.push(`"${text}" was refused, and stored`)
    if (count > 1) verdict.duplicated++
  }
  // A sender sends a message after the previous one was acknowledged, so they must be stored in this order.
  const acknowledged = new Map(
    sent.filter(({ outcome }) => outcome === 'acknowledged').map((one) => [one.text, one]),
  )
  const last = new Map<string, number>()
  for (const { message } of log) {
    const one = acknowledged.get(message)
    if (!one) continue
    if (one.number < (last.get(one.sender) ?? 0)) verdict.reordered++
    last.set(one.sender, Math.max(one.number, last.get(one.sender) ?? 0))
  }
}

/** Each client has to receive every message after its start: once, in the order of the log, the same bytes. */
function checkObserved(
  log: readonly ChatMessage[],
  { name, after, frames }: Observed,
  verdict: Verdict,
): void {
  const due = log.filter(({ id }) => id > after)
  const seen = new Set<string>()
  let newest = ''
  for (const frame of frames) {
    const { id } = JSON.parse(frame) as ChatMessage
    if (seen.has(id)) verdict.duplicated++
    else if (id < newest) verdict.reordered++
    seen.add(id)
    if (id > newest) newest = id
  }
  const stored = new Map(due.map((message) => [message.id, JSON.stringify(message)]))
  for (const id of stored.keys()) if (!seen.has(id)) verdict.lost++
  const foreign = frames.find((frame) => stored.get((JSON.parse(frame) as ChatMessage).id) !== frame)
  if (foreign !== undefined)
    verdict.findings.push(`${name} received a frame that is not in the log: ${foreign}`)
}

/** Compares what was sent and what the clients received with the log. */
export function check(
  log: readonly ChatMessage[],
  sent: readonly Sent[],
  observers: readonly Observed[],
): Verdict {
  const verdict: Verdict = { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, findings: [] }
  const ids = log.map(({ id }) => id)
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] as string))) {
    verdict.findings.push('the log is not in the order of its ids')
  }
  checkSent(log, sent, verdict)
  for (const observed of observers) checkObserved(log, observed, verdict)
  return verdict
}
