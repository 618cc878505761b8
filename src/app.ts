import { availableParallelism } from 'node:os'
import { cors } from '@elysiajs/cors'
import { Elysia, NotFoundError } from 'elysia'
import type { Logger } from 'pino'
import { authHandlers } from './auth/handlers.ts'
import { createLoginGuard } from './auth/login-guard.ts'
import { createPasswords } from './auth/passwords.ts'
import { createTokens } from './auth/tokens.ts'
import { createChatServer } from './chats/chat-server.ts'
import { chatHandlers } from './chats/handlers.ts'
import { createHandshake, isUpgrade } from './chats/handshake.ts'
import type { MessageLog } from './chats/message-log.ts'
import type { Session } from './chats/session.ts'
import type { Config } from './config.ts'
import { written } from './contract/documents.ts'
import { channelPath } from './contract/frames.ts'
import { allOperations } from './contract/operations.ts'
import type { Database } from './database/open-database.ts'
import { createAdmission } from './http/admission.ts'
import { createAllowedMethods } from './http/allowed-methods.ts'
import { createAnswers } from './http/answers.ts'
import { docsPage } from './http/docs-page.ts'
import { createFailures } from './http/failures.ts'
import { operationRoutes } from './http/operation-routes.ts'
import { createOriginCheck, createRequestOriginCheck } from './http/origins.ts'
import { ProblemError } from './http/problems.ts'
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
const exposedHeaders = [
  'X-Request-Id',
  'API-Version',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Deprecation',
  'Sunset',
  'Link',
]

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
  })
  const clientAddress = createClientAddress(config.trustedProxies)
  const admission = createAdmission({ tokens, users, rateLimits, clientAddress, isDraining })
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
  const answers = createAnswers({ log, toProblem })
  const handshake = createHandshake({
    admission,
    rateLimits,
    isAllowedOrigin: createRequestOriginCheck(isAllowedOrigin),
    chat,
    answers,
  })
  const app = new Elysia({ strictPath: true })

  app
    .use(
      operationRoutes({
        handlers: {
          ...authHandlers({ users, passwords, tokens, guard: createLoginGuard(() => Date.now() / 1000) }),
          ...userHandlers,
          ...chatHandlers({ log: messageLog }),
        },
        admission,
        rateLimits,
        answers,
        getServer: () => app.server,
      }),
    )
    .get(channelPath, async ({ request }) => {
      const exchange = answers.begin(request, channelPath)
      try {
        if (isUpgrade(request) && (await handshake(exchange, app.server as never))) {
          answers.logged(exchange, 101)
          return
        }
        answers.logged(exchange, 200)
        const headers = { ...answers.headers(exchange), ...landingPage.headers }
        return new Response(landingPage.text, { headers })
      } catch (error) {
        return answers.problem(exchange, error)
      }
    })
    // From here on, Elysia's own life cycle answers: the pages, and what matches no route.
    .onError({ as: 'global' }, ({ request, error }) => {
      const exchange = answers.begin(request, undefined)
      if (!(error instanceof NotFoundError)) return answers.problem(exchange, error)
      const allow = allowedMethods(new URL(request.url).pathname)
      if (allow === undefined) return answers.problem(exchange, new ProblemError('not-found'))
      return answers.problem(exchange, new ProblemError('method-not-allowed'), { allow })
    })
    .mapResponse({ as: 'global' }, ({ request, route, set, responseValue }) => {
      // A failure comes here too, as the response that onError has made.
      if (responseValue instanceof Response && responseValue.headers.has('x-request-id')) return responseValue
      const exchange = answers.begin(request, route)
      Object.assign(set.headers, answers.headers(exchange))
      answers.logged(exchange, Number(set.status ?? 200))
      return responseValue as Response
    })
    .use(servicePages({ isDraining, isReady: database.isReady }))
    .use(docsPage({ openapi: written.openapi as Parameters<typeof docsPage>[0]['openapi'] }))
  // After the hooks above, so that the answers to preflights have what every answer has.
  if (config.corsOrigins.length > 0 || config.development) {
    app.onRequest(({ request, set }) => {
      // A preflight is answered before any hook on answers runs.
      if (request.method !== 'OPTIONS') return
      const exchange = answers.begin(request, undefined)
      Object.assign(set.headers, answers.headers(exchange))
      answers.logged(exchange, 204)
    })
    app.use(
      cors({
        origin: (request) => isAllowedOrigin(request.headers.get('origin') ?? ''),
        credentials: false,
        methods: [...new Set(allOperations.map(({ method }) => method))],
        allowedHeaders: ['Authorization', 'Content-Type', 'API-Version', 'Idempotency-Key'],
        exposeHeaders: exposedHeaders,
        maxAge: 600,
      }),
    )
  }

  const allowedMethods = createAllowedMethods(app.routes)

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
          return answers.problem(answers.begin(new Request('http://localhost'), undefined), thrown)
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
