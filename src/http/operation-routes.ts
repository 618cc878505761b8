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
import { type Admission, bearerToken, type Identity } from './admission.ts'
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
  readonly getServer: () => Parameters<Admission['admit']>[4]
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

/** Reads and checks the parameters that an operation declares, and refuses others in the query. */
function parameterReader({ query, integerParameters, queryDefaults, headers, headerNames }: Operation) {
  const queryCheck = query && TypeCompiler.Compile(query)
  const headersCheck = headers && TypeCompiler.Compile(headers)

  function readQuery(request: Request): Record<string, unknown> {
    if (!queryCheck) return {}
    const values: Record<string, unknown> = {}
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
    if (!headersCheck) return {}
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
 * checked as the document says, and the handler does the rest.
 */
export function operationRoutes({ handlers, admission, rateLimits, getServer }: OperationRoutesOptions) {
  const app = new Elysia({ name: 'operations', normalize: false }).decorate({
    identity: undefined as Identity | undefined,
  })
  for (const operation of allOperations) {
    const { id, path, method, body, constants, successStatus } = operation
    const handler = handlers[id] as unknown as AnyHandler
    const gate = { secured: operation.secured, limiter: rateLimits.limiter(operation.rateLimit) }
    const fixedHeaders = { ...operation.successHeaders, ...deprecationHeaders(operation) }
    const hasFixedHeaders = Object.keys(fixedHeaders).length > 0
    const reply = (data: object) => ({ ...constants, ...data })
    const { readQuery, readHeaders } = parameterReader(operation)

    const call = (identity: Identity | undefined, content: unknown, request: Request) =>
      handler({
        user: identity?.user,
        body: content,
        query: readQuery(request),
        headers: readHeaders(request),
        reply,
        problem,
      })
    const response = { [successStatus]: operation.success }

    const succeed = (answer: object, set: Settable) => {
      set.status = successStatus
      if (hasFixedHeaders) Object.assign(set.headers, fixedHeaders)
      return answer
    }
    const admit = (request: Request, { headers }: Settable) =>
      admission.admit(gate, request, bearerToken(request), headers, getServer())

    // Elysia reads the handlers' text, and prepares of the context only what they name.
    if (body) {
      app.parser(id, async (context) => {
        context.identity = await admit(context.request, context.set as Settable)
        return readJsonBody(context.request)
      })
      app.route(
        method,
        path,
        async ({ request, set, identity, body }) =>
          succeed(await call(identity, body, request), set as Settable),
        // A parser that is named leaves the stream of the body alone.
        { parse: id as 'none', body, response },
      )
    } else {
      // Asynchronous only where it has to be: a promise costs as much as the rest.
      app.route(
        method,
        path,
        ({ request, set }) => {
          const finish = (identity: Identity | undefined) => {
            const answer = call(identity, undefined, request)
            return answer instanceof Promise
              ? answer.then((settled) => succeed(settled, set as Settable))
              : succeed(answer, set as Settable)
          }
          const identity = admit(request, set as Settable)
          return identity instanceof Promise ? identity.then(finish) : finish(identity)
        },
        { response },
      )
    }
  }
  return app
}

/** What Elysia sends with the answer. */
interface Settable {
  status?: number
  readonly headers: Record<string, string | number>
}
