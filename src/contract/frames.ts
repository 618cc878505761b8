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

/** Validators of what a client may send, compiled at start-up. */
export const sendFrame = frame('SendFrame')
export const disconnectFrame = frame('DisconnectFrame')
/** Validates the key of a frame by itself, for the answer to a frame that is wrong otherwise. */
export const isIdempotencyKey = TypeCompiler.Compile(sendFrame.Schema().properties.idempotencyKey)
/** The event of a frame that asks to disconnect, as its schema fixes it. */
export const disconnectEvent: unknown = disconnectFrame.Schema().properties.event.const
/** Validates the query of the upgrade request. */
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
