import {
  checkCode,
  checkHandshakeHeaders,
  checkProblem,
  codesOf,
  comesBefore,
  type Problem,
} from './checks.ts'
import type { Contract, Message, Schema } from './contract.ts'
import type { Json } from './documents.ts'
import {
  clientMessageOf,
  expectedProblemsOfFrame,
  expectedProblemsOfHandshake,
  MALFORMED,
  parseJsonText,
} from './expected-outcomes.ts'
import { violationsOf } from './schemas.ts'
import type { Closed, Opened, Refused, Silence, Turn } from './traffic.ts'

export function checkOpened(contract: Contract, { request, subprotocol }: Opened): string[] {
  const { channel } = contract
  const findings = [...expectedProblemsOfHandshake(channel, request).keys()].map(
    (code) => `the handshake succeeded; expected ${code}`,
  )
  findings.push(...checkHandshakeHeaders(channel, request))
  if (request.path !== channel.address) findings.push(`there is no channel at ${request.path}`)
  if (request.method !== channel.method) findings.push(`the method of a handshake is ${channel.method}`)
  const offered = request.headers['sec-websocket-protocol'] !== undefined
  const expected = offered ? channel.subprotocol : ''
  if (subprotocol !== expected) findings.push(`the subprotocol is ${subprotocol}; expected ${expected}`)
  return findings
}

/** Checks a close frame that stands for the response to a handshake, by the same rules as for the response. */
export function checkRefused(contract: Contract, refused: Refused): string[] {
  const { channel, problems } = contract
  const { request, subprotocol, code, reason, expect } = refused
  const findings = checkHandshakeHeaders(channel, request)
  if (subprotocol !== channel.refusals.subprotocol)
    findings.push(`the subprotocol is ${subprotocol}; expected ${channel.refusals.subprotocol}`)
  const status = problems[reason]?.status
  const documented = channel.refusals['close-codes'][String(status)]
  if (code !== documented)
    findings.push(`closed with ${code} ${reason}; expected ${documented} for ${status}`)
  const codes = codesOf(channel.handshakeResponses[String(status)])
  if (!codes.includes(reason)) findings.push(`no documented example of ${status} has the code ${reason}`)
  const expected = expectedProblemsOfHandshake(channel, request)
  if (reason === expect && comesBefore(reason, { status: status ?? 0 })) return findings
  const accepted = expected.size === 0 ? [expect] : [...expected.keys()]
  if (!accepted.includes(reason)) findings.push(`closed with ${reason}; expected ${accepted.join(' or ')}`)
  return findings
}

/** Finds the documented server message with the event of this frame. */
export function messageOf(contract: Contract, frame: Json): Message | undefined {
  const event = (frame as Problem | null)?.event
  return contract.channel.messages.find(
    (one) => one.from === 'server' && one.schema.properties?.event?.const === event,
  )
}

export function checkReceived(contract: Contract, text: string): string[] {
  const frame = parseJsonText(text)
  if (frame === MALFORMED) return ['the frame is not JSON']
  const message = messageOf(contract, frame)
  if (!message) return [`no documented server message has the event of ${text.slice(0, 80)}`]
  const findings = violationsOf(message.schema, frame).map(
    (violation) => `frame ${message.name}: ${violation.text}`,
  )
  const problem = (frame as Problem).problem as Problem | undefined
  if (!problem) return findings
  const codes = message.examples.map(
    (example) => ((example.payload as Problem).problem as Problem | undefined)?.code,
  )
  if (!codes.includes(problem.code as Json))
    findings.push(`no documented example of ${message.name} has the code ${problem.code}`)
  return [...findings, ...checkProblem(contract, problem)]
}

/** Checks for the expected outcome of a client frame, by the same rules as for a request. */
export function checkTurn(contract: Contract, turn: Turn): string[] {
  const reply = parseJsonText(turn.reply) as Problem
  const expected = expectedProblemsOfFrame(contract.channel, turn.sent)
  const problem = reply.problem as Problem | undefined
  const findings = checkCode(expected, problem, turn.expect, 'the frame')
  const sent = parseJsonText(turn.sent)
  const key =
    typeof sent === 'object' && sent !== null && !Array.isArray(sent)
      ? (sent as Problem).idempotencyKey
      : undefined
  const schema = keySchema(contract)
  const echoed = key !== undefined && schema && violationsOf(schema, key).length === 0 ? key : undefined
  if (reply.idempotencyKey !== echoed)
    findings.push(`idempotencyKey is ${reply.idempotencyKey}; expected ${echoed}`)
  if (reply.event === 'message' && reply.message !== (sent as Problem).message)
    findings.push('the broadcast text differs from the sent text')
  const message = clientMessageOf(contract.channel, sent === MALFORMED ? null : sent)
  const name = messageOf(contract, reply)?.name ?? ''
  // Every frame can be refused. A message that lists its replies has to list this one too.
  const replies = message?.replies.length ? message.replies : ['error']
  if (!replies.includes(name)) findings.push(`${name} is not a documented reply to ${message?.name}`)
  return findings
}

function keySchema(contract: Contract): Schema | undefined {
  const clientMessages = contract.channel.messages.filter((one) => one.from === 'client')
  return clientMessages.map((one) => one.schema.properties?.idempotencyKey).find((one) => one !== undefined)
}

/** Checks what the server does to a client that has sent nothing for some seconds. */
export function checkSilence({ channel }: Contract, { seconds, observed }: Silence): string[] {
  const { 'ping-after-seconds': ping, 'close-after-seconds': close } = channel.liveness
  const expected = seconds >= close ? 'end' : seconds >= ping ? 'ping' : 'nothing'
  return observed === expected ? [] : [`after ${seconds} s of silence: ${observed}; expected ${expected}`]
}

export function checkClosed(contract: Contract, closed: Closed): string[] {
  const documented = contract.channel.closeCodes[closed.cause]
  if (!documented) return [`x-close-codes has no entry for ${closed.cause}`]
  if (documented.code === closed.code && documented.reason === closed.reason) return []
  return [
    `closed with ${closed.code} ${closed.reason}; ${closed.cause} is documented as ${documented.code} ${documented.reason}`,
  ]
}
