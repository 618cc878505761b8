/// <reference lib="esnext.disposable" preserve="true" />
export type { Chat, ChatEvents, ChatMessage, ChatOptions, ChatState, Room, User } from './chat-types.ts'
export { type Client, type ClientOptions, createClient, type OperationMethods } from './client.ts'
export type { WebSocketConstructor, WebSocketLike } from './connection.ts'
export type { Operations, ProblemCode, Schemas } from './contract.gen.ts'
export {
  type ClientCode,
  type ErrorCode,
  type ErrorOf,
  isParleyError,
  type OperationId,
  type Outcome,
  ParleyError,
} from './errors.ts'
export type { CallOptions, Fetch } from './http.ts'
export type { MessagesOptions } from './messages.ts'
export type { SendOptions } from './outbox.ts'
export { type AuthReason, type StoredToken, type TokenStore, webStore } from './session.ts'
