import { type Cells, cellsOf } from './cells.ts'
import type { Contract } from './contract.ts'
import { judgeDocuments } from './document-rules.ts'
import { judgeClosed, judgeExchange, judgeOpened, judgeReceived, judgeTurn } from './judge.ts'
import { markExchange, markOpened, markReceived, markSent, markTurn } from './marks.ts'
import { judgeSequence } from './sequence-rules.ts'
import type { ServerStarted, TrafficEvent } from './traffic.ts'

export interface Verdict {
  /** Where the traffic, or a document within itself, is not what the documents promise. */
  findings: string[]
  cells: Cells
  /** The bodies, queries and frames that were sent, as JSON text: what a cell may have waited for. */
  inputs: Set<string>
}

/** What the marks of one event need to know. */
export interface Scene {
  contract: Contract
  cells: Cells
  server: ServerStarted
  /** Who stands in for the documented user on this server. */
  names: Record<string, string>
}

/**
 * Judges a record of traffic by a contract. It reads nothing else, so a changed contract can be tried on it.
 *
 * @param ignored where given, the judge stops at the first finding that is not among these
 */
export function judgeTraffic(contract: Contract, traffic: TrafficEvent[], ignored?: Set<string>): Verdict {
  const cells = cellsOf(contract)
  const findings = [...judgeDocuments(contract), ...judgeSequence(contract, traffic)]
  const scenes = new Map<string, Scene>()
  const inputs = new Set<string>()
  const enough = () => ignored !== undefined && findings.some((finding) => !ignored.has(finding))
  if (enough()) return { findings, cells, inputs }

  for (const event of traffic) {
    if (event.kind === 'server') scenes.set(event.server, { contract, cells, server: event, names: {} })
    const scene = scenes.get(event.server)
    if (!scene) throw new Error(`The record has no start of server ${event.server}`)
    for (const finding of judgeEvent(scene, event)) findings.push(`${describe(event)}: ${finding}`)
    for (const input of inputsOf(event)) inputs.add(input)
    if (enough()) break
  }
  return { findings, cells, inputs }
}

function judgeEvent(scene: Scene, event: TrafficEvent): string[] {
  const { contract, cells } = scene
  switch (event.kind) {
    case 'server':
      return []
    case 'stand-in':
      scene.names = { exampleuser: event.username }
      return []
    case 'exchange':
    case 'handshake':
      markExchange(scene, event)
      return judgeExchange(contract, event, scene.server)
    case 'opened':
      markOpened(scene, event)
      return judgeOpened(contract, event)
    case 'sent':
      markSent(scene, event)
      return []
    case 'turn':
      markTurn(scene, event)
      return judgeTurn(contract, event)
    case 'received':
      markReceived(scene, event)
      return judgeReceived(contract, event.text)
    case 'closed':
      cells.see(event.server, 'close code', event.cause)
      return judgeClosed(contract, event)
  }
}

function inputsOf(event: TrafficEvent): string[] {
  if (event.kind === 'sent') return [event.text]
  if (event.kind !== 'exchange' && event.kind !== 'handshake') return []
  return [event.request.body ?? '', JSON.stringify(event.request.query)]
}

function describe(event: TrafficEvent): string {
  if (event.kind === 'exchange' || event.kind === 'handshake') {
    const { request, response } = event
    return `[${event.server}] ${request.method} ${request.path} → ${response.status}`
  }
  return `[${event.server}] ${event.kind}${'socket' in event ? ` on socket ${event.socket}` : ''}`
}
