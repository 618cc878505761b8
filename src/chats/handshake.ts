import type { Server } from 'bun'
import { connectQuery, connectRateLimit, subprotocol, tokenSubprotocolPrefix } from '../contract/frames.ts'
import { supportedVersions } from '../contract/operations.ts'
import { ProblemError } from '../contract/problems.ts'
import { type Authenticator, bearerToken } from '../http/gate.ts'
import type { IsAllowedRequest } from '../http/origins.ts'
import { readQuery } from '../http/query.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Responses } from '../http/responses.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import { type Connection, createConnection } from './connection.ts'
import type { ConnectionLog } from './connection-log.ts'
import type { Connections } from './connections.ts'

interface HandshakeOptions {
  readonly authenticator: Authenticator
  readonly rateLimits: RateLimits
  readonly isAllowedRequest: IsAllowedRequest
  readonly connections: Connections
  readonly connectionLog: ConnectionLog
  readonly responses: Responses
}

/**
 * Decides on one handshake.
 *
 * @returns whether the connection was upgraded; if not, the request was not a valid handshake
 * @throws ProblemError each of the handshake responses in asyncapi.yaml
 */
export type Handshake = (context: RequestContext, server: Server<Connection>) => Promise<boolean>

export const isUpgrade = (request: Request) =>
  request.headers.get('upgrade')?.toLowerCase() === 'websocket' && request.headers.has('sec-websocket-key')

function offeredProtocols(request: Request): string[] {
  const offered = request.headers.get('sec-websocket-protocol')
  return offered === null ? [] : offered.split(',').map((each) => each.trim())
}

/** The credentials of a handshake. A browser cannot set `Authorization`, so it offers its token as a subprotocol. */
function readAuthorization(request: Request, protocols: readonly string[]): string | null {
  const header = request.headers.get('authorization')
  const offered = protocols.find((each) => each.startsWith(tokenSubprotocolPrefix))
  if (bearerToken(header) !== undefined || offered === undefined) return header
  return `Bearer ${offered.slice(tokenSubprotocolPrefix.length)}`
}

/** Creates the WebSocket handshake (RFC 6455). It upgrades natively, which needs the least memory. */
export function createHandshake(options: HandshakeOptions): Handshake {
  const { authenticator, isAllowedRequest, connections, connectionLog, responses } = options
  const limiter = options.rateLimits.limiter(connectRateLimit)
  const policy = { secured: true, cachesIdentity: false, limiter }

  return async (context, server) => {
    const { request } = context
    const protocols = offeredProtocols(request)
    const authorization = readAuthorization(request, protocols)
    const identity = await authenticator.authenticate(policy, context, authorization, server)
    if (!identity) throw new ProblemError('missing-token')
    if (!isAllowedRequest(request)) throw new ProblemError('origin-not-allowed')
    // The subprotocol is the API version of the connection.
    if (protocols.length > 0 && !protocols.includes(subprotocol)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    const { after } = readQuery(request, { check: connectQuery }) as { after?: string }
    connections.acquireSlot(identity.user)
    const headers = {
      ...responses.headers(context),
      ...(protocols.length > 0 && { 'sec-websocket-protocol': subprotocol }),
    }
    const data = createConnection(identity, after, connectionLog.start(context))
    const upgraded = server.upgrade(request, { data, headers })
    if (!upgraded) connections.releaseSlot(identity.user)
    return upgraded
  }
}
