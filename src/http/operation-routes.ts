import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Elysia } from 'elysia'
import { explainErrors } from '../contract/explain.ts'
import {
  allOperations,
  type Operation,
  type OperationId,
  type OperationProblem,
  type Query,
  type ReplyData,
  type RequestBody,
  type RequestHeaders,
} from '../contract/operations.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { User } from '../users/users.ts'
import type { Admission, Identity } from './admission.ts'
import type { Answers, Exchange } from './answers.ts'
import { ProblemError } from './problems.ts'
import { readJsonBody } from './request-body.ts'

declare const repliedTo: unique symbol

/** A success body; only a call's `reply` makes one, so that TypeScript sees a property too many. */
export interface Reply<Id extends OperationId> {
  readonly [repliedTo]: Id
}

/** One request for an operation, everything checked against the document. */
export interface Call<Id extends OperationId> {
  /** The user of the token; only for secured operations. */
  readonly user: User
  readonly body: RequestBody<Id>
  readonly query: Query<Id>
  readonly headers: RequestHeaders<Id>
  /** Completes `data` with the texts and the status that the document fixes. */
  reply(data: ReplyData<Id>): Reply<Id>
  /** A failure that the document gives this operation; throw it. */
  problem(code: OperationProblem<Id>, options?: ConstructorParameters<typeof ProblemError>[1]): ProblemError
}

export type Handler<Id extends OperationId> = (call: Call<Id>) => Reply<Id> | Promise<Reply<Id>>

/** One handler for each operation of the document, neither more nor fewer. */
export type Handlers = { readonly [Id in OperationId]: Handler<Id> }

type AnyHandler = (call: object) => object | Promise<object>

interface OperationRoutesOptions {
  readonly handlers: Handlers
  readonly admission: Admission
  readonly rateLimits: RateLimits
  readonly answers: Answers
  readonly getServer: () => Parameters<Admission['admit']>[3]
}

const problem = (code: ConstructorParameters<typeof ProblemError>[0], options = {}) =>
  new ProblemError(code, options)

/** The headers by which a client learns of a deprecation (RFC 9745, RFC 8594). */
export function deprecationHeaders({ deprecatedAt, sunset }: Operation): Record<string, string> {
  if (deprecatedAt === undefined) return {}
  return {
    deprecation: `@${Math.floor(Date.parse(deprecatedAt) / 1000)}`,
    ...(sunset !== undefined && { sunset: new Date(sunset).toUTCString() }),
    link: '</swagger>; rel="deprecation"; type="text/html"',
  }
}

/** What is read where an operation declares nothing to read. */
const nothing: Record<string, unknown> = Object.freeze({})

/** Reads and checks the parameters that an operation declares, and refuses others in the query. */
function parameterReader({ query, integerParameters, queryDefaults, headers, headerNames }: Operation) {
  const queryCheck = query && TypeCompiler.Compile(query)
  const headersCheck = headers && TypeCompiler.Compile(headers)

  function readQuery(request: Request): Record<string, unknown> {
    if (!queryCheck) return nothing
    // Without a prototype, so that a parameter called __proto__ is one as any other.
    const values: Record<string, unknown> = Object.create(null)
    const { searchParams } = new URL(request.url)
    for (const name of new Set(searchParams.keys())) {
      const all = searchParams.getAll(name)
      const [text = ''] = all
      const isInteger = integerParameters.has(name) && /^-?\d{1,15}$/.test(text)
      values[name] = all.length > 1 ? all : isInteger ? Number(text) : text
    }
    if (!queryCheck.Check(values)) {
      throw new ProblemError('validation-failed', { errors: explainErrors(queryCheck.Schema(), values) })
    }
    return { ...queryDefaults, ...values }
  }

  function readHeaders(request: Request): Record<string, unknown> {
    if (!headersCheck) return nothing
    const values: Record<string, unknown> = {}
    for (const name of headerNames) {
      const value = request.headers.get(name)
      if (value !== null) values[name] = value
    }
    if (!headersCheck.Check(values)) {
      throw new ProblemError('validation-failed', { errors: explainErrors(headersCheck.Schema(), values) })
    }
    return values
  }

  return { readQuery, readHeaders }
}

/**
 * Mounts the document's operations: for each, the gate, the parameters, the body and the answer are
 * checked as the document says, and the handler does the rest. Elysia routes, and is handed a complete
 * response: its own life cycle would make each handler asynchronous (docs/decisions/operations.md).
 */
export function operationRoutes({
  handlers,
  admission,
  rateLimits,
  answers,
  getServer,
}: OperationRoutesOptions) {
  const app = new Elysia({ name: 'operations' })
  for (const operation of allOperations) {
    const serve = createService(operation)
    const handler = ({ request }: { request: Request }) => serve(request)
    // Bound, so that it has no source: Elysia reads it, and takes a handler that returns a call for an
    // asynchronous one (docs/decisions/operations.md).
    app.route(operation.method, operation.path, handler.bind(undefined))
  }
  return app

  function createService(operation: Operation): (request: Request) => Response | Promise<Response> {
    const { id, path, constants } = operation
    const handler = handlers[id] as unknown as AnyHandler
    const gate = {
      secured: operation.secured,
      remembers: true,
      limiter: rateLimits.limiter(operation.rateLimit),
    }
    const deprecation = deprecationHeaders(operation)
    const toSuccess = answers.json({
      method: operation.method,
      route: path,
      status: operation.successStatus,
      headers: {
        ...operation.successHeaders,
        ...deprecation,
        ...(gate.limiter && { 'ratelimit-policy': gate.limiter.policyHeader }),
      },
    })
    const bodyCheck = operation.body && TypeCompiler.Compile(operation.body)
    const successCheck = TypeCompiler.Compile(operation.success)
    const { readQuery, readHeaders } = parameterReader(operation)
    const reply =
      Object.keys(constants).length > 0
        ? (data: object) => ({ ...constants, ...data })
        : (data: object) => data

    const call = (request: Request, identity: Identity | undefined, body: unknown) =>
      handler({
        user: identity?.user,
        body,
        query: readQuery(request),
        headers: readHeaders(request),
        reply,
        problem,
      })

    function succeed(exchange: Exchange, body: object): Response {
      if (!successCheck.Check(body)) throw new Error(`The success of ${id} breaks its schema`)
      return toSuccess(exchange, body)
    }

    const fail = (exchange: Exchange, error: unknown) => answers.problem(exchange, error, deprecation)

    async function serveLater(
      exchange: Exchange,
      admitted: Identity | undefined | Promise<Identity | undefined>,
    ): Promise<Response> {
      try {
        const identity = await admitted
        const body = bodyCheck && (await readJsonBody(exchange.request))
        if (bodyCheck && !bodyCheck.Check(body)) {
          throw new ProblemError('validation-failed', { errors: explainErrors(bodyCheck.Schema(), body) })
        }
        return succeed(exchange, await call(exchange.request, identity, body))
      } catch (error) {
        return fail(exchange, error)
      }
    }

    return (request) => {
      const exchange = answers.begin(request, path)
      try {
        const admitted = admission.admit(gate, exchange, request.headers.get('authorization'), getServer())
        if (bodyCheck || admitted instanceof Promise) return serveLater(exchange, admitted)
        const answer = call(request, admitted, undefined)
        // Asynchronous only where it has to be: a promise costs as much as the rest.
        if (!(answer instanceof Promise)) return succeed(exchange, answer)
        return answer.then((body) => succeed(exchange, body)).catch((error) => fail(exchange, error))
      } catch (error) {
        return fail(exchange, error)
      }
    }
  }
}
