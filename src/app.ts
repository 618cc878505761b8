import { availableParallelism } from 'node:os'
import { cors } from '@elysiajs/cors'
import type { TSchema } from '@sinclair/typebox'
import { Elysia, NotFoundError, ParseError, ValidationError } from 'elysia'
import type { Logger } from 'pino'
import { authHandlers } from './auth/handlers.ts'
import { createLoginGuard } from './auth/login-guard.ts'
import { createPasswords } from './auth/passwords.ts'
import { createTokens, nowSeconds } from './auth/tokens.ts'
import { createChatServer } from './chats/chat-server.ts'
import { chatHandlers } from './chats/handlers.ts'
import { createHandshake, isUpgrade } from './chats/handshake.ts'
import type { MessageLog } from './chats/message-log.ts'
import type { Session } from './chats/session.ts'
import type { Config } from './config.ts'
import { written } from './contract/documents.ts'
import { explainErrors } from './contract/explain.ts'
import { channelPath } from './contract/frames.ts'
import { commonHeaders } from './contract/operations.ts'
import type { Database } from './database/open-database.ts'
import { createAdmission } from './http/admission.ts'
import { createAllowedMethods } from './http/allowed-methods.ts'
import { docsPage } from './http/docs-page.ts'
import { createFailures } from './http/failures.ts'
import { operationRoutes } from './http/operation-routes.ts'
import { createOriginCheck, createRequestOriginCheck } from './http/origins.ts'
import { ProblemError, problemMediaType } from './http/problems.ts'
import { landingPage, servicePages } from './http/service-pages.ts'
import { createClientAddress } from './limits/client-address.ts'
import { createRateLimits } from './limits/rate-limits.ts'
import { userHandlers } from './users/handlers.ts'
import { createUsers } from './users/users.ts'

export interface AppOptions {
  readonly config: Config
  readonly database: Database
  readonly messageLog: MessageLog
  /** The bytes that sign tokens. */
  readonly secret: Uint8Array<ArrayBuffer>
  readonly log: Logger
}

/** Answers that a browser's script may read beside the body. */
const exposedHeaders = ['X-Request-Id', 'API-Version', 'RateLimit', 'RateLimit-Policy', 'Retry-After']

/** How long a stop waits for requests under way; the longest is a login at the end of a full queue. */
const settleMs = 10_000

/** Composes the service. It listens to nothing and ends nothing: that is for the caller. */
export async function createApp({ config, database, messageLog, secret, log }: AppOptions) {
  let draining = false
  const isDraining = () => draining
  const toProblem = createFailures(log)
  const users = createUsers(database)
  const tokens = await createTokens({ secret, ttlSeconds: config.tokenTtlSeconds })
  const passwords = createPasswords({ concurrency: availableParallelism() })
  const rateLimits = createRateLimits({
    enabled: config.rateLimits,
    overrides: config.rateLimitOverrides,
    now: nowSeconds,
  })
  const clientAddress = createClientAddress(config.trustedProxies)
  const admission = createAdmission({ tokens, users, clientAddress, isDraining })
  const isAllowedOrigin = createOriginCheck({ allowed: config.corsOrigins, development: config.development })
  const chat = createChatServer({
    log: messageLog,
    users,
    rateLimits,
    toProblem,
    maxSockets: config.maxSockets,
    maxSocketsPerUser: config.maxSocketsPerUser,
    socketBufferBytes: config.socketBufferBytes,
  })
  const handshake = createHandshake({
    admission,
    rateLimits,
    isAllowedOrigin: createRequestOriginCheck(isAllowedOrigin),
    chat,
  })

  const logsRequests = log.isLevelEnabled('info')

  const app = new Elysia({ normalize: false, strictPath: true })
    .headers(commonHeaders)
    .decorate({ requestId: '', startedAt: 0 })
    .onError({ as: 'global' }, (context) => {
      const { set, request, requestId, error } = context
      const { pathname } = new URL(request.url)
      let thrown: unknown = error
      if (error instanceof NotFoundError) {
        const allow = allowedMethods(pathname)
        if (allow !== undefined) set.headers.allow = allow
        thrown = new ProblemError(allow === undefined ? 'not-found' : 'method-not-allowed')
      } else if (error instanceof ParseError) {
        thrown = error.cause
      } else if (error instanceof ValidationError && error.type === 'body') {
        const errors = explainErrors((error.validator as { schema: TSchema }).schema, error.value)
        thrown = new ProblemError('validation-failed', { errors })
      } else if (error instanceof ValidationError) {
        // Its message repeats the value.
        thrown = new Error(`The ${error.type} breaks its schema at ${pathname}`)
      }
      const failure = toProblem(thrown, requestId)
      set.status = failure.error.status
      Object.assign(set.headers, failure.error.headers)
      set.headers['content-type'] = problemMediaType
      return failure.body
    })
    .mapResponse({ as: 'global' }, ({ request, route, set, requestId, startedAt, responseValue }) => {
      set.headers['x-request-id'] = requestId
      if (logsRequests) {
        // The route and not the path: whatever a client puts into a path, a token above all, stays out.
        const ms = Math.round((performance.now() - startedAt) * 100) / 100
        log.info({ requestId, method: request.method, route, status: set.status, ms }, 'request')
      }
      // After an error, Elysia takes what this hook returns for the answer, even nothing.
      return responseValue as Response
    })

  if (config.corsOrigins.length > 0 || config.development) {
    app.use(
      cors({
        origin: (request) => isAllowedOrigin(request.headers.get('origin') ?? ''),
        credentials: false,
        allowedHeaders: ['Authorization', 'Content-Type', 'API-Version', 'Idempotency-Key'],
        exposeHeaders: exposedHeaders,
        maxAge: 600,
      }),
    )
  }

  app
    .get(channelPath, async ({ request, set, requestId }) => {
      set.headers['x-request-id'] = requestId
      if (isUpgrade(request) && app.server) {
        if (await handshake(request, app.server as never, set.headers as never)) {
          set.status = 101
          return
        }
      }
      Object.assign(set.headers, landingPage.headers)
      return landingPage.text
    })
    .use(servicePages({ isDraining, isReady: database.isReady }))
    .use(docsPage({ openapi: written.openapi as Parameters<typeof docsPage>[0]['openapi'] }))
    .use(
      operationRoutes({
        handlers: {
          ...authHandlers({ users, passwords, tokens, guard: createLoginGuard(nowSeconds) }),
          ...userHandlers,
          ...chatHandlers({ log: messageLog }),
        },
        admission,
        rateLimits,
        getServer: () => app.server,
      }),
    )
  const allowedMethods = createAllowedMethods(app.routes)

  // Elysia reads its decorators once for each request, so a getter is a value a request; a hook for
  // every request, the usual way, costs as much as the account's look-up.
  Object.defineProperties(app.decorator, {
    requestId: { get: () => Bun.randomUUIDv7(), enumerable: true },
    startedAt: { get: () => performance.now(), enumerable: true },
  })

  return {
    app,
    /** Begins to serve; `port` 0 takes any free one. */
    listen({ hostname, port }: { hostname: string; port: number }) {
      app.listen({
        hostname,
        port,
        // Otherwise a second process on the port takes half of the connections without a word.
        reusePort: false,
        development: false,
        idleTimeout: 30,
        // The limit is the document's, and its answer ours: see request-body.ts.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        websocket: chat.handlers as never,
        /** Only what breaks the error handler itself comes here. */
        error(thrown: unknown) {
          const { body, error } = toProblem(thrown, Bun.randomUUIDv7())
          return Response.json(body, { status: error.status, headers: { 'content-type': problemMediaType } })
        },
      })
      const { server } = app
      if (!server) throw new Error('The server did not start')
      chat.attach(server as unknown as { publish: Bun.Server<Session>['publish'] })
      return server
    },
    /** Refuses what is new, settles what was accepted, and closes the sockets over `seconds`. */
    async drain(seconds: number) {
      draining = true
      await chat.drain(seconds)
      const deadline = performance.now() + settleMs
      while ((app.server?.pendingRequests ?? 0) > 0 && performance.now() < deadline) await Bun.sleep(10)
      await messageLog.flush()
      chat.close()
      // Connections that are kept alive would hold up a stop that waits for them.
      await app.server?.stop(true)
    },
  }
}
