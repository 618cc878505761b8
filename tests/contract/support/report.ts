import { checkExchange } from './checks.ts'
import type { Contract } from './contract.ts'
import { type Coverage, type CoverageItem, expectedCoverage } from './coverage.ts'
import { type RecorderContext, recordExchange } from './coverage-recorder.ts'
import { checkDocuments } from './document-checks.ts'
import { checkSequence } from './sequence-checks.ts'
import {
  checkClosed,
  checkOpened,
  checkReceived,
  checkRefused,
  checkSilence,
  checkTurn,
} from './socket-checks.ts'
import {
  recordClosed,
  recordOpened,
  recordReceived,
  recordRefused,
  recordSent,
  recordTurn,
} from './socket-coverage.ts'
import type { TrafficEvent } from './traffic.ts'

/** The result of checking recorded traffic against the documents. */
export interface Report {
  /** Where the traffic contradicts the documents, or a document contradicts itself. */
  findings: string[]
  coverage: Coverage
  /** The bodies, queries and frames that were sent, as JSON text. */
  inputs: Set<string>
}

/**
 * Checks recorded traffic against a contract. It uses no other input, so the mutation run can check the
 * same traffic against changed documents.
 *
 * @param ignored if given, stop at the first finding that is not in this set
 */
export function createReport(contract: Contract, traffic: TrafficEvent[], ignored?: Set<string>): Report {
  const coverage = expectedCoverage(contract)
  const findings = [...checkDocuments(contract), ...checkSequence(contract, traffic)]
  const contexts = new Map<string, RecorderContext>()
  const inputs = new Set<string>()
  const isDecided = () => ignored !== undefined && findings.some((finding) => !ignored.has(finding))
  if (isDecided()) return { findings, coverage, inputs }

  for (const event of traffic) {
    if (event.kind === 'server') contexts.set(event.server, { contract, coverage, server: event, names: {} })
    const context = contexts.get(event.server)
    if (!context) throw new Error(`The traffic does not record the start of server ${event.server}`)
    for (const finding of checkEvent(context, event)) findings.push(`${describe(event)}: ${finding}`)
    for (const input of inputsOf(event)) inputs.add(input)
    if (isDecided()) break
  }
  return { findings, coverage, inputs }
}

export function uncoveredItems({ coverage }: Report): CoverageItem[] {
  return [...coverage.items.values()].filter((item) => item.coveredOn.size === 0)
}

/** The report in Markdown: a coverage table for each kind of item, then the findings. */
export function renderReport({ findings, coverage }: Report): string {
  const items = [...coverage.items.values()]
  const lines = ['# Contract coverage', '']
  for (const table of new Set(items.map((item) => item.table))) {
    const rows = items.filter((item) => item.table === table)
    const covered = rows.filter((item) => item.coveredOn.size > 0).length
    lines.push(`## ${table}: ${covered} of ${rows.length}`, '', '| item | covered on server |', '|---|---|')
    for (const { columns, coveredOn } of rows) {
      const servers = coveredOn.size === 0 ? '**not covered**' : [...coveredOn].sort().join(', ')
      lines.push(`| ${columns.map((column) => column.replaceAll('|', '\\|')).join(' × ')} | ${servers} |`)
    }
    lines.push('')
  }
  if (findings.length > 0)
    lines.push(`## Findings: ${findings.length}`, '', ...findings.map((one) => `- ${one}`), '')
  return lines.join('\n')
}

/** Records the coverage of an event and returns where it contradicts the documents. */
function checkEvent(context: RecorderContext, event: TrafficEvent): string[] {
  const { contract } = context
  switch (event.kind) {
    case 'server':
      return []
    case 'stand-in':
      context.names = { exampleuser: event.username }
      return []
    case 'exchange':
    case 'handshake':
      recordExchange(context, event)
      return checkExchange(contract, event, context.server)
    case 'opened':
      recordOpened(context, event)
      return checkOpened(contract, event)
    case 'refused':
      recordRefused(context, event)
      return checkRefused(contract, event)
    case 'silence':
      context.coverage.cover(event.server, 'silence', event.observed)
      return checkSilence(contract, event)
    case 'sent':
      recordSent(context, event)
      return []
    case 'turn':
      recordTurn(context, event)
      return checkTurn(contract, event)
    case 'received':
      recordReceived(context, event)
      return checkReceived(contract, event.text)
    case 'closed':
      recordClosed(context, event)
      return checkClosed(contract, event)
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
