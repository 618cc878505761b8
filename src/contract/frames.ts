import { once } from '../once.ts'
import { asyncapi, type CloseCode } from './documents.ts'
import { toTypeBox } from './schema.ts'
import type { CloseCodeName, components } from './types.gen.ts'
import { createValidator, type Validator } from './validator.ts'

type Schemas = components['schemas']
export type SendFrame = Schemas['SendFrame']
export type ConnectQuery = Schemas['ConnectQuery']
export type ErrorFrame = Schemas['ErrorFrame']
export type GapFrame = Schemas['GapFrame']
export type CaughtUpFrame = Schemas['CaughtUpFrame']
export type StoredFrame = Schemas['StoredFrame']
export type PongFrame = Schemas['PongFrame']
export type AuthenticateFrame = Schemas['AuthenticateFrame']
export type AuthenticatedFrame = Schemas['AuthenticatedFrame']
export type ChatMessage = Schemas['ChatMessage']

const { chat } = asyncapi.channels
const { schemas } = asyncapi.components

type ClientFrame = 'SendFrame' | 'DisconnectFrame' | 'PingFrame' | 'AuthenticateFrame'

const frame = (name: ClientFrame): Validator =>
  createValidator(() => toTypeBox(schemas[name] ?? {}, `asyncapi.yaml#/components/schemas/${name}`))

/** Validators of the client's frames. */
export const sendFrame = frame('SendFrame')
export const disconnectFrame = frame('DisconnectFrame')
export const pingFrame = frame('PingFrame')
export const authenticateFrame = frame('AuthenticateFrame')
/** Validates the idempotency key of a frame that is otherwise invalid, so that its error frame can repeat the key. */
export const isIdempotencyKey = createValidator(() => sendFrame.schema.properties.idempotencyKey)
/** The validator of each event that a client may send. A frame without an event is a message. */
export const clientFrames = once(
  (): ReadonlyMap<unknown, Validator> =>
    new Map(
      [sendFrame, disconnectFrame, pingFrame, authenticateFrame].map((validator) => [
        validator.schema.properties.event.const,
        validator,
      ]),
    ),
)
/** Validates the query of the handshake request. */
export const connectQuery = createValidator(() =>
  toTypeBox(chat.bindings.ws.query, 'asyncapi.yaml#/channels/chat/bindings/ws/query'),
)

export const channelPath = chat.address
export const subprotocol = chat['x-subprotocol']
export const tokenSubprotocolPrefix = chat['x-token-subprotocol-prefix']
export const maxFrameBytes = chat['x-max-frame-bytes']
export const connectRateLimit = chat['x-rate-limit']
export const sendRateLimit = asyncapi.operations.sendMessage['x-rate-limit']
export const pingRateLimit = asyncapi.operations.ping['x-rate-limit']
export const authenticateRateLimit = asyncapi.operations.authenticate['x-rate-limit']
export const refusals = chat['x-refusals']
export const { 'ping-after-seconds': pingAfterSeconds, 'close-after-seconds': closeAfterSeconds } =
  chat['x-liveness']
export const closeCodes = chat['x-close-codes'] as Readonly<Record<CloseCodeName, CloseCode>>
