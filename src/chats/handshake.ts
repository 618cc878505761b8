import type { Server } from 'bun'
import {
  type ConnectQuery,
  connectQuery,
  connectRateLimit,
  refusals,
  subprotocol,
  tokenSubprotocolPrefix,
} from '../contract/frames.ts'
import { supportedVersions } from '../contract/operations.ts'
import { type ProblemCode, ProblemError, supportedWebSocketVersion } from '../contract/problems.ts'
import { type Authenticator, authorizationOf, bearerToken } from '../http/gate.ts'
import type { IsAllowedRequest } from '../http/origins.ts'
import { readQuery } from '../http/query.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Responses } from '../http/responses.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import { createConnection, type SocketData } from './connection.ts'
import type { ConnectionLog } from './connection-log.ts'
import type { Connections } from './connections.ts'

const protocolHeader = 'sec-websocket-protocol'

interface HandshakeOptions {
  readonly authenticator: Authenticator
  readonly rateLimits: RateLimits
  readonly isAllowedRequest: IsAllowedRequest
  readonly connections: Connections
  readonly connectionLog: ConnectionLog
  readonly responses: Responses
}

export interface Handshake {
  /**
   * Upgrades the connection of one request.
   *
   * @throws ProblemError each of the handshake responses in asyncapi.yaml
   */
  accept(context: RequestContext, server: Server<SocketData>): Promise<void>
  /**
   * Delivers a failure of `accept` as a close frame, if the client has offered the subprotocol for it.
   *
   * @returns whether it did; if not, the failure is a response
   */
  refuse(context: RequestContext, server: Server<SocketData>, problem: ProblemError): boolean
}

const tokensOf = (header: string | null) => (header ?? '').split(',').map((each) => each.trim().toLowerCase())

/** Whether the client intends to open a WebSocket, even if the handshake is malformed. */
export const isHandshake = ({ headers }: Request): boolean =>
  tokensOf(headers.get('upgrade')).includes('websocket') ||
  headers.has('sec-websocket-key') ||
  headers.has('sec-websocket-version')

/** The problem of a malformed handshake (RFC 6455, section 4.2.1), or undefined if it is well-formed. */
function findFault({ headers }: Request): ProblemCode | undefined {
  const upgrades = tokensOf(headers.get('upgrade')).includes('websocket')
  if (!upgrades || !tokensOf(headers.get('connection')).includes('upgrade')) return 'malformed-handshake'
  if (headers.get('sec-websocket-version') !== supportedWebSocketVersion)
    return 'unsupported-websocket-version'
  // 16 bytes in base64.
  return /^[A-Za-z0-9+/]{22}==$/.test(headers.get('sec-websocket-key') ?? '')
    ? undefined
    : 'malformed-handshake'
}

function offeredProtocols(request: Request): string[] {
  const offered = request.headers.get(protocolHeader)
  return offered === null ? [] : offered.split(',').map((each) => each.trim())
}

/** The credentials of a handshake. A browser cannot set `Authorization`, so it offers its token as a subprotocol. */
function readAuthorization(request: Request, protocols: readonly string[]): string | null {
  const header = request.headers.get('authorization')
  const offered = protocols.find((each) => each.startsWith(tokenSubprotocolPrefix))
  if (bearerToken(header) !== undefined || offered === undefined) return header
  return authorizationOf(offered.slice(tokenSubprotocolPrefix.length))
}

/** Creates the WebSocket handshake (RFC 6455). It upgrades natively, which needs the least memory. */
export function createHandshake(options: HandshakeOptions): Handshake {
  const { authenticator, isAllowedRequest, connections, connectionLog, responses } = options
  const limiter = options.rateLimits.limiter(connectRateLimit)
  const policy = { secured: true, cachesIdentity: false, limiter }

  async function accept(context: RequestContext, server: Server<SocketData>): Promise<void> {
    const { request } = context
    const fault = findFault(request)
    if (fault) {
      // Counted by address, like every request without an identity.
      await authenticator.authenticate({ ...policy, secured: false }, context, null, server)
      throw new ProblemError(fault)
    }
    const protocols = offeredProtocols(request)
    const authorization = readAuthorization(request, protocols)
    const identity = await authenticator.authenticate(policy, context, authorization, server)
    if (!identity) throw new ProblemError('missing-token')
    if (!isAllowedRequest(request)) throw new ProblemError('origin-not-allowed')
    // The subprotocol is the API version of the connection.
    if (protocols.length > 0 && !protocols.includes(subprotocol)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    const { after, rooms } = readQuery(request, { validator: connectQuery }) as ConnectQuery
    await connections.acquireSlot(identity.user)
    const headers = {
      ...responses.headers(context),
      ...(protocols.length > 0 && { [protocolHeader]: subprotocol }),
    }
    const data = createConnection(identity, {
      cursor: after,
      receivesRooms: rooms !== undefined,
      record: connectionLog.start(context),
    })
    if (server.upgrade(request, { data, headers })) return
    connections.releaseSlot(identity.user)
    throw new ProblemError('malformed-handshake')
  }

  return {
    accept,
    refuse(context, server, { code: reason, status }) {
      const code = refusals['close-codes'][status]
      if (code === undefined || findFault(context.request)) return false
      if (!offeredProtocols(context.request).includes(refusals.subprotocol)) return false
      const headers = { ...responses.headers(context), [protocolHeader]: refusals.subprotocol }
      return server.upgrade(context.request, { data: { refusal: { code, reason } }, headers })
    },
  }
}
