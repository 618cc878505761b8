// Where the routes of the documents come from, and the path of one request.
//
// The operations are not written as Elysia's `.post(path, handler, schema)`. That works and needs less
// code, but Elysia's own lifecycle reaches only 0.70 of the rate of reads and 0.75 of sends, whereas Bun's
// router with this pipeline reaches 1.09 (docs/decisions/operations.md). A request takes these steps:
//
//   1. Bun's router selects the function that `createRoute` made for the operation.
//   2. The authenticator counts the request and identifies the user      (gate.ts, auth/authenticator.ts).
//   3. The body, the query and the headers are validated by the document (request-body.ts, query.ts).
//   4. The handler, named like the operation, does the work              (<feature>/handlers.ts).
//   5. The reply is validated and becomes the response                   (responses.ts).
//   6. Anything thrown on the way becomes a problem                      (error-handler.ts).
import type { Handlers } from '../contract/handlers.ts'
import { allOperations, type Operation } from '../contract/operations.ts'
import {
  type ProblemCode,
  ProblemError,
  type ProblemOptions,
  validationFailed,
} from '../contract/problems.ts'
import type { Peer } from '../limits/client-address.ts'
import { policyHeader, type RateLimits } from '../limits/rate-limits.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { Authenticator, Identity } from './gate.ts'
import { readQuery } from './query.ts'
import { readJsonBody } from './request-body.ts'
import type { RequestContext } from './request-context.ts'
import type { Responses } from './responses.ts'

type AnyHandler = (call: object) => MaybePromise<HandlerReply>

/** A request of Bun's router. */
type RoutedRequest = Request & { readonly params?: Readonly<Record<string, string>> }

/** A function of Bun's router. */
export type Route = (request: RoutedRequest, server: Peer) => MaybePromise<Response>

/** What `Call.reply` creates: the JSON text of the body, and the headers that the handler supplies. */
interface HandlerReply {
  readonly text: string
  readonly headers: Readonly<Record<string, string>> | undefined
}

interface OperationRoutesOptions {
  readonly handlers: Handlers
  readonly authenticator: Authenticator
  readonly rateLimits: RateLimits
  readonly responses: Responses
}

const problem = (code: ProblemCode, options: ProblemOptions = {}) => new ProblemError(code, options)

/** The headers that announce a deprecation (RFC 9745, RFC 8594). */
export function deprecationHeaders({ deprecatedAt, sunset }: Operation): Record<string, string> {
  if (deprecatedAt === undefined) return {}
  return {
    deprecation: `@${Math.floor(Date.parse(deprecatedAt) / 1000)}`,
    ...(sunset !== undefined && { sunset: new Date(sunset).toUTCString() }),
    link: '</swagger>; rel="deprecation"; type="text/html"',
  }
}

const noParameters: Readonly<Record<string, unknown>> = Object.freeze({})

/** Reads and validates the parameters that an operation declares. */
function createParameterReader(operation: Operation) {
  const {
    query,
    integerParameters: integers,
    queryDefaults,
    headers,
    headerNames,
    pathParameters,
  } = operation

  function readHeaders(request: Request): Readonly<Record<string, unknown>> {
    if (!headers) return noParameters
    const values: Record<string, unknown> = {}
    for (const name of headerNames) {
      const value = request.headers.get(name)
      if (value !== null) values[name] = value
    }
    if (!headers.check(values)) throw validationFailed(headers.schema, values)
    return values
  }

  function readQueryValues(request: Request): Readonly<Record<string, unknown>> {
    if (!query) return noParameters
    return { ...queryDefaults, ...readQuery(request, { validator: query, integers }) }
  }

  function readPath({ params }: RoutedRequest): Readonly<Record<string, unknown>> {
    if (!pathParameters) return noParameters
    // A path that no resource can have is not a validation error: nothing is there.
    if (!pathParameters.check({ ...params })) throw new ProblemError('not-found')
    return params as Record<string, unknown>
  }

  return { readQueryValues, readHeaders, readPath }
}

/** The routes of all operations, by path and method, for Bun's router. */
export function operationRoutes(options: OperationRoutesOptions): Record<string, Record<string, Route>> {
  const routes: Record<string, Record<string, Route>> = {}
  for (const operation of allOperations) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1')
    routes[path] = { ...routes[path], [operation.method]: createRoute(operation, options) }
  }
  return routes
}

function createRoute(operation: Operation, options: OperationRoutesOptions): Route {
  const { id, path, constants, body: bodyValidator, success } = operation
  const { authenticator, responses } = options
  const handler = options.handlers[id] as unknown as AnyHandler
  const limiter = options.rateLimits.limiter(operation.rateLimit)
  const policy = { secured: operation.secured, cachesIdentity: true, limiter }
  const deprecation = deprecationHeaders(operation)
  const toSuccess = responses.json({
    method: operation.method,
    route: path,
    status: operation.successStatus,
    headers: {
      ...operation.successHeaders,
      ...deprecation,
      ...(limiter && { 'ratelimit-policy': policyHeader(limiter) }),
    },
  })
  const { readQueryValues, readHeaders, readPath } = createParameterReader(operation)
  const hasConstants = Object.keys(constants).length > 0
  function serialise(data: object): string {
    const body = hasConstants ? { ...constants, ...data } : data
    if (!success.check(body)) throw new Error(`The success response of ${id} violates its schema`)
    return JSON.stringify(body)
  }

  const reply = (data: object, headers?: HandlerReply['headers']): HandlerReply => ({
    text: serialise(data),
    headers,
  })
  const texts = new WeakMap<object, string>()

  function replyCached(source: object, data: object, headers?: HandlerReply['headers']): HandlerReply {
    let text = texts.get(source)
    if (text === undefined) {
      text = serialise(data)
      texts.set(source, text)
    }
    return { text, headers }
  }

  const call = (request: RoutedRequest, identity: Identity | undefined, body: unknown) =>
    handler({
      user: identity?.user,
      token: identity,
      body,
      path: readPath(request),
      query: readQueryValues(request),
      headers: readHeaders(request),
      reply,
      replyCached,
      problem,
    })

  const succeed = (context: RequestContext, { text, headers }: HandlerReply) =>
    toSuccess(context, text, headers)
  const fail = (context: RequestContext, error: unknown) => responses.problem(context, error, deprecation)

  async function serveLater(context: RequestContext, authenticated: MaybePromise<Identity | undefined>) {
    try {
      const identity = authenticated instanceof Promise ? await authenticated : authenticated
      const body = bodyValidator && (await readJsonBody(context.request))
      if (bodyValidator && !bodyValidator.check(body)) throw validationFailed(bodyValidator.schema, body)
      // The token may have been revoked while the body was arriving, which can take minutes.
      if (bodyValidator && identity) {
        const validity = authenticator.validate(identity)
        if ((validity instanceof Promise ? await validity : validity) !== 'valid')
          throw problem('invalid-token')
      }
      const result = call(context.request, identity, body)
      return succeed(context, result instanceof Promise ? await result : result)
    } catch (error) {
      return fail(context, error)
    }
  }

  return (request, server) => {
    const context = responses.startRequest(request, path, server)
    try {
      const authorization = request.headers.get('authorization')
      const identity = authenticator.authenticate(policy, context, authorization, server)
      if (bodyValidator || identity instanceof Promise) return serveLater(context, identity)
      const result = call(request, identity, undefined)
      // Stay synchronous if possible: a promise costs as much as the rest of a short request.
      if (!(result instanceof Promise)) return succeed(context, result)
      return result.then((settled) => succeed(context, settled)).catch((error) => fail(context, error))
    } catch (error) {
      return fail(context, error)
    }
  }
}
