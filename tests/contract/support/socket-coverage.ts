import {
  isObject,
  type RecorderContext,
  recordBounds,
  recordConstraints,
  recordValue,
} from './coverage-recorder.ts'
import type { Json } from './documents.ts'
import {
  expectedProblemsOfFrame,
  expectedProblemsOfHandshake,
  frameSchema,
  MALFORMED,
  parseJsonText,
} from './expected-outcomes.ts'
import { matchesExample } from './schemas.ts'
import { messageOf } from './socket-checks.ts'
import type { Closed, Opened, Received, Refused, Sent, Turn } from './traffic.ts'

export function recordOpened({ contract, coverage }: RecorderContext, { server, request }: Opened): void {
  if (expectedProblemsOfHandshake(contract.channel, request).size > 0) return
  const scheme = request.headers.authorization === undefined ? 'subprotocol' : 'bearerAuth'
  coverage.cover(server, 'handshake', '101', scheme)
  recordBounds(
    { contract, coverage, server: { kind: 'server', server, limits: 'unknown' }, names: {} },
    'handshake query',
    contract.channel.query,
    request.query,
    '',
  )
}

export function recordSent({ contract, coverage }: RecorderContext, { server, text }: Sent): void {
  for (const message of contract.channel.messages.filter((one) => one.from === 'client')) {
    for (const example of message.examples) {
      if (JSON.stringify(example.payload) !== text) continue
      coverage.cover(server, 'frame', contract.channel.address, message.name, 'client → server', example.name)
    }
  }
}

/** Covers an example in `x-example-frames`, or with a client example of the same name, if that frame was sent. */
export function recordTurn(context: RecorderContext, turn: Turn): void {
  const { contract, coverage } = context
  const reply = parseJsonText(turn.reply)
  const message = reply === MALFORMED ? undefined : messageOf(contract, reply)
  if (!message || reply === MALFORMED) return
  const clientMessages = contract.channel.messages.filter((one) => one.from === 'client')
  for (const example of message.examples) {
    const pair = clientMessages.flatMap((one) => one.examples).find((one) => one.name === example.name)
    const input = example.frame ?? (pair && JSON.stringify(pair.payload))
    if (input !== undefined && input !== turn.sent) continue
    if (!matchesExample(message.schema, example.payload, reply, context.names)) continue
    coverage.cover(
      turn.server,
      'frame',
      contract.channel.address,
      message.name,
      'server → client',
      example.name,
    )
  }
  const sent = parseJsonText(turn.sent)
  if (sent === MALFORMED) return
  const schema = frameSchema(contract.channel, sent)
  const name = clientMessages.find((one) => one.schema === schema)?.name
  recordConstraints(
    context,
    `frame ${name}`,
    schema,
    sent,
    expectedProblemsOfFrame(contract.channel, turn.sent),
  )
}

export function recordRefused({ contract, coverage }: RecorderContext, { server, reason }: Refused): void {
  coverage.cover(server, 'refusal', String(contract.problems[reason]?.status), reason)
}

export function recordClosed({ coverage }: RecorderContext, { server, cause }: Closed): void {
  coverage.cover(server, 'close code', cause)
}

/** Covers an example that no particular frame causes by any received frame that matches it. */
export function recordReceived(context: RecorderContext, { server, text }: Received): void {
  const { contract, coverage } = context
  const frame = parseJsonText(text)
  const message = frame === MALFORMED ? undefined : messageOf(contract, frame)
  if (!message || frame === MALFORMED) return
  const { problem } = frame as { problem?: Json }
  if (isObject(problem)) coverage.cover(server, 'problem', String(problem.code))
  recordValue(context, server, message.schema, frame)
  const clientExamples = contract.channel.messages
    .filter((one) => one.from === 'client')
    .flatMap((one) => one.examples)
  for (const example of message.examples) {
    if (example.frame !== undefined || clientExamples.some((one) => one.name === example.name)) continue
    if (!matchesExample(message.schema, example.payload, frame, context.names)) continue
    coverage.cover(server, 'frame', contract.channel.address, message.name, 'server → client', example.name)
  }
}
