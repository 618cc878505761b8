import { TypeCompiler } from '@sinclair/typebox/compiler'
import { asyncapi, type CloseCode } from './documents.ts'
import { toTypeBox } from './schema.ts'
import type { CloseCodeName, components } from './types.gen.ts'

type Schemas = components['schemas']
export type SendFrame = Schemas['SendFrame']
export type ErrorFrame = Schemas['ErrorFrame']
export type GapFrame = Schemas['GapFrame']
export type ChatMessage = Schemas['ChatMessage']

const { chat } = asyncapi.channels

function frame(name: 'SendFrame' | 'DisconnectFrame') {
  const schema = asyncapi.components.schemas[name] ?? {}
  return TypeCompiler.Compile(toTypeBox(schema, `asyncapi.yaml#/components/schemas/${name}`))
}

/** Validators of the client's frames, compiled at startup. */
export const sendFrame = frame('SendFrame')
export const disconnectFrame = frame('DisconnectFrame')
/** Validates the idempotency key of a frame that is otherwise invalid, so that its error frame can repeat the key. */
export const isIdempotencyKey = TypeCompiler.Compile(sendFrame.Schema().properties.idempotencyKey)
/** The event name of a disconnect frame. */
export const disconnectEvent: unknown = disconnectFrame.Schema().properties.event.const
/** Validates the query of the handshake request. */
export const connectQuery = TypeCompiler.Compile(
  toTypeBox(chat.bindings.ws.query, 'asyncapi.yaml#/channels/chat/bindings/ws/query'),
)

export const channelPath = chat.address
export const subprotocol = chat['x-subprotocol']
export const tokenSubprotocolPrefix = chat['x-token-subprotocol-prefix']
export const maxFrameBytes = chat['x-max-frame-bytes']
export const connectRateLimit = chat['x-rate-limit']
export const sendRateLimit = asyncapi.operations.sendMessage['x-rate-limit']
export const closeCodes = chat['x-close-codes'] as Readonly<Record<CloseCodeName, CloseCode>>
