import type {
  OperationId,
  OperationProblem,
  PathParameters,
  QueryValues,
  ReplyData,
  ReplyHeaderValues,
  RequestBody,
  RequestHeaders,
} from './operations.ts'
import type { ProblemError, ProblemOptions } from './problems.ts'
import type { components } from './types.gen.ts'

export type User = components['schemas']['User']

/** The token of a request. */
export interface TokenDetails {
  /** The `jti` of the token, by which it is revoked. */
  readonly tokenId: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** When the user entered the password: seconds since the epoch. */
  readonly authTime: number
  /** The account's `tokensValidFrom` when the token was issued. */
  readonly tokensValidFrom: number
}

declare const operation: unique symbol

/** A success body. Only `Call.reply` creates one, so TypeScript rejects undocumented properties. */
export interface Reply<Id extends OperationId> {
  readonly [operation]: Id
}

/** One request for an operation, validated against the document. */
export interface Call<Id extends OperationId> {
  /** The authenticated user; present only on secured operations. */
  readonly user: User
  /** The token that authenticated the request; present only on secured operations. */
  readonly token: TokenDetails
  readonly body: RequestBody<Id>
  readonly path: PathParameters<Id>
  readonly query: QueryValues<Id>
  readonly headers: RequestHeaders<Id>
  /** Adds the texts that the document fixes to `data`, and the headers that it leaves to the handler. */
  reply(
    data: ReplyData<Id>,
    ...headers: ReplyHeaderValues<Id> extends undefined ? [] : [headers: ReplyHeaderValues<Id>]
  ): Reply<Id>
  /**
   * Like `reply`, for data that depends only on `source`: the response body is validated and serialised once
   * for each source, as long as the object lives.
   */
  replyCached(
    source: object,
    data: ReplyData<Id>,
    ...headers: ReplyHeaderValues<Id> extends undefined ? [] : [headers: ReplyHeaderValues<Id>]
  ): Reply<Id>
  /** Creates a failure that the document lists for this operation. Throw it. */
  problem(code: OperationProblem<Id>, options?: ProblemOptions): ProblemError
}

export type Handler<Id extends OperationId> = (call: Call<Id>) => Reply<Id> | Promise<Reply<Id>>

/** Exactly one handler per operation of the document. */
export type Handlers = { readonly [Id in OperationId]: Handler<Id> }
