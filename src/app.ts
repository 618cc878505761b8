import { availableParallelism } from 'node:os'
import { type AnyElysia, Elysia } from 'elysia'
import { accountHandlers } from './auth/account-handlers.ts'
import { createAuthenticator } from './auth/authenticator.ts'
import { createIdentities } from './auth/identities.ts'
import { type Keys, publicKeysOf } from './auth/keys.ts'
import { loginHandlers } from './auth/login-handlers.ts'
import { measureIdentities } from './auth/measured-identities.ts'
import { createPasswords, maxQueueLength, type Passwords } from './auth/passwords.ts'
import { sessionHandlers } from './auth/session-handlers.ts'
import { createTokens, type Tokens } from './auth/tokens.ts'
import { createChannelRoute } from './chats/channel-route.ts'
import { createChatServer } from './chats/chat-server.ts'
import { createConnectionLog } from './chats/connection-log.ts'
import { createConnections } from './chats/connections.ts'
import { chatHandlers } from './chats/handlers.ts'
import { createHandshake } from './chats/handshake.ts'
import type { Config } from './config.ts'
import { channelPath } from './contract/frames.ts'
import type { ReadinessCode } from './contract/types.gen.ts'
import { createCors } from './http/cors.ts'
import { createErrorHandler, type ToProblem } from './http/error-handler.ts'
import { createForwardWarning } from './http/forward-warning.ts'
import { operationRoutes } from './http/operation-routes.ts'
import { createOriginCheck, createRequestOriginCheck } from './http/origins.ts'
import { pageHooks } from './http/page-hooks.ts'
import { createResponses, type Responses } from './http/responses.ts'
import { unmatchedRequests } from './http/unmatched-requests.ts'
import { createClientAddress } from './limits/client-address.ts'
import { measureRateLimits } from './limits/measured-rate-limits.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Storage } from './open-storage.ts'
import { clientScript } from './pages/client-script.ts'
import { healthRoutes, isReady } from './pages/health.ts'
import { jwksPage } from './pages/jwks.ts'
import { problemPages } from './pages/problems.ts'
import { guidePages, landingPage, websocketPage } from './pages/rendered-pages.ts'
import { swaggerPages } from './pages/swagger.ts'
import { tryPages } from './pages/try.ts'
import { roomHandlers } from './rooms/handlers.ts'
import { userHandlers } from './users/handlers.ts'

export interface AppOptions {
  readonly config: Config
  readonly storage: Storage
  /** The keys that sign and verify tokens. */
  readonly keys: Keys
  readonly logger: Logger
  /** Whether the service is stopping and refuses new requests. */
  readonly isDraining: () => boolean
  /** Undefined if nothing is counted. */
  readonly metrics?: Metrics | undefined
}

/** The parts of the pipeline that depend only on the configuration. */
function createHttp({
  config,
  logger,
  toProblem,
  metrics,
}: Pick<AppOptions, 'config' | 'logger' | 'metrics'> & { toProblem: ToProblem }) {
  const { corsOrigins, development, logClientAddress } = config
  const onUntrustedForward = createForwardWarning({ logger, logClientAddress })
  const clientAddress = createClientAddress(config.trustedProxies, onUntrustedForward)
  const isAllowedOrigin = createOriginCheck({ allowed: corsOrigins, development })
  const allowsOrigins = corsOrigins.length > 0 || development
  const cors = allowsOrigins
    ? createCors({ isAllowed: isAllowedOrigin, allowsAny: corsOrigins.includes('*') })
    : undefined
  const responses = createResponses({
    logger,
    toProblem,
    clientAddress,
    logClientAddress,
    cors,
    metrics: metrics?.requests,
  })
  return { clientAddress, isAllowedOrigin, responses }
}

/** Counts the problems that clients receive in frames. */
const countFrameProblems =
  (toProblem: ToProblem, { sockets }: Metrics): ToProblem =>
  (thrown, requestId) => {
    const failure = toProblem(thrown, requestId)
    sockets.refused(failure.error.code)
    return failure
  }

/** The handlers of all operations, by operationId. */
function operationHandlers({
  config,
  storage: { users, revocations, messageLog, rooms, loginGuard: guard, leaveRooms },
  passwords,
  tokens,
  toProblem,
}: Pick<AppOptions, 'config' | 'storage'> & {
  passwords: Passwords
  tokens: Tokens
  toProblem: ToProblem
}) {
  const accounts = { users, passwords, tokens, guard }
  const onError = (error: unknown) => void toProblem(error, crypto.randomUUID())
  return {
    ...loginHandlers({ ...accounts, registrationOpen: config.registrationOpen, onError }),
    ...sessionHandlers({ users, revocations, tokens, maxSessionSeconds: config.sessionMaxDays * 86_400 }),
    ...accountHandlers({ ...accounts, leaveRooms, eraseMessages: messageLog.eraseMessagesOf }),
    ...userHandlers,
    ...roomHandlers({ rooms, changes: messageLog, creationOpen: config.roomCreationOpen }),
    ...chatHandlers({ messageLog }),
  }
}

/** The pages that Elysia serves. */
const allPages = (keys: Keys) =>
  new Elysia()
    .use(jwksPage({ publicKeys: publicKeysOf(keys) }))
    .use(problemPages())
    .use(tryPages())
    .use(websocketPage())
    .use(guidePages())
    .use(clientScript())
    .use(swaggerPages())

/** All routes, for Bun's router and Elysia's pages. */
function mount(
  routes: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  pages: AnyElysia,
  responses: Responses,
) {
  const { refusals, unknownPath } = unmatchedRequests({
    routes: [
      ...Object.entries(routes).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({ path, method })),
      ),
      ...pages.routes,
    ],
    responses,
  })
  for (const [path, methods] of Object.entries(routes)) Object.assign(refusals[path] as object, methods)
  // Everything is on Bun's router, where Elysia adds the methods of the pages. `/*` also receives the
  // requests that would otherwise reach Elysia's own router, which needs a valid URL and normalises paths.
  return new Elysia({ strictPath: true, serve: { routes: { ...refusals, '/*': unknownPath } as never } })
    .use(pageHooks({ responses }))
    .use(pages)
}

/** Composes the service from its parts. It does not listen; `startServer` does. */
export async function createApp({ config, storage, keys, logger, isDraining, metrics }: AppOptions) {
  const { users, revocations, messageLog, userSlots } = storage
  const rateLimits = metrics ? measureRateLimits(storage.rateLimits, metrics.refusals) : storage.rateLimits
  const toProblem = createErrorHandler(logger)
  const tokens = createTokens({ keys, ttlSeconds: config.tokenTtlSeconds, audience: config.jwtAudience })
  const passwords = createPasswords({ concurrency: availableParallelism() })
  const { clientAddress, isAllowedOrigin, responses } = createHttp({ config, logger, toProblem, metrics })
  const verified = createIdentities({ tokens, users, revocations, rateLimits })
  const identities = metrics ? measureIdentities(verified, metrics.identityLookup) : verified
  const authenticator = createAuthenticator({ identities, rateLimits, clientAddress, isDraining })
  const connections = createConnections({ maxSockets: config.maxSockets, userSlots })
  const connectionLog = createConnectionLog(logger)
  const chat = createChatServer({
    messageLog,
    authenticator,
    rateLimits,
    toProblem: metrics ? countFrameProblems(toProblem, metrics) : toProblem,
    connections,
    connectionLog,
    socketBufferBytes: config.socketBufferBytes,
    metrics: metrics?.sockets,
  })
  const unmet = (): readonly ReadinessCode[] =>
    isDraining() ? ['draining', ...storage.unmet()] : storage.unmet()
  metrics?.setSources({
    isReady: () => isReady(unmet()),
    unmet,
    sockets: () => connections.size,
    maxSockets: config.maxSockets,
    backlogBytes: connections.backlogBytes,
    hashing: passwords.load,
    maxHashingQueue: maxQueueLength,
    cachedIdentities: identities.size,
    retention: { seconds: config.messageRetentionDays * 86_400, messages: config.messageRetentionCount },
    storage: storage.measure,
  })
  const handshake = createHandshake({
    authenticator,
    rateLimits,
    isAllowedRequest: createRequestOriginCheck(isAllowedOrigin),
    connections,
    connectionLog,
    responses,
  })
  const operations = operationRoutes({
    handlers: operationHandlers({ config, storage, passwords, tokens, toProblem }),
    authenticator,
    rateLimits,
    responses,
  })
  const routes = {
    ...operations,
    ...healthRoutes({ unmet, responses }),
    [channelPath]: {
      GET: createChannelRoute({ handshake, responses, toProblem, page: landingPage(config) }),
    },
  }
  return { app: mount(routes, allPages(keys), responses), chat, responses }
}
