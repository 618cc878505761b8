import type { Server } from 'bun'
import { explainErrors } from '../contract/explain.ts'
import { connectQuery, connectRateLimit, subprotocol, tokenSubprotocolPrefix } from '../contract/frames.ts'
import { supportedVersions } from '../contract/operations.ts'
import { type Admission, bearerToken } from '../http/admission.ts'
import type { Answers, Exchange } from '../http/answers.ts'
import type { IsAllowedOrigin } from '../http/origins.ts'
import { ProblemError } from '../http/problems.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { ChatServer } from './chat-server.ts'
import type { Session } from './session.ts'

interface HandshakeOptions {
  readonly admission: Admission
  readonly rateLimits: RateLimits
  readonly isAllowedOrigin: IsAllowedOrigin
  readonly chat: ChatServer
  readonly answers: Answers
}

export const isUpgrade = (request: Request) =>
  request.headers.get('upgrade')?.toLowerCase() === 'websocket' && request.headers.has('sec-websocket-key')

/** Decides on a WebSocket handshake (RFC 6455), and upgrades natively: that takes the least memory. */
export function createHandshake({ admission, rateLimits, isAllowedOrigin, chat, answers }: HandshakeOptions) {
  const gate = { secured: true, remembers: false, limiter: rateLimits.limiter(connectRateLimit) }

  function offeredProtocols(request: Request): string[] {
    const offered = request.headers.get('sec-websocket-protocol')
    return offered === null ? [] : offered.split(',').map((each) => each.trim())
  }

  /** A browser cannot set the header, so it offers its token as a subprotocol. */
  function readAuthorization(request: Request, protocols: readonly string[]): string | null {
    const header = request.headers.get('authorization')
    const offered = protocols.find((each) => each.startsWith(tokenSubprotocolPrefix))
    if (bearerToken(header) !== undefined || offered === undefined) return header
    return `Bearer ${offered.slice(tokenSubprotocolPrefix.length)}`
  }

  function readCursor(request: Request): string | undefined {
    const { searchParams } = new URL(request.url)
    // Without a prototype, so that a parameter called __proto__ is one as any other.
    const values: Record<string, unknown> = Object.create(null)
    for (const name of new Set(searchParams.keys())) {
      const all = searchParams.getAll(name)
      values[name] = all.length > 1 ? all : all[0]
    }
    if (!connectQuery.Check(values)) {
      throw new ProblemError('validation-failed', { errors: explainErrors(connectQuery.Schema(), values) })
    }
    return (values as { after?: string }).after
  }

  /**
   * @returns whether the connection was upgraded; if not, the request was no valid handshake
   * @throws ProblemError each of the document's handshake responses
   */
  return async (exchange: Exchange, server: Server<Session>): Promise<boolean> => {
    const { request } = exchange
    const protocols = offeredProtocols(request)
    const identity = await admission.admit(gate, exchange, readAuthorization(request, protocols), server)
    if (!identity) throw new ProblemError('missing-token')
    if (!isAllowedOrigin(request)) throw new ProblemError('origin-not-allowed')
    // Its subprotocol is the socket's version.
    if (protocols.length > 0 && !protocols.includes(subprotocol)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    const cursor = readCursor(request)
    chat.reserve(identity.user)
    const data: Session = {
      identity,
      pending: 0,
      refusals: 0,
      closing: undefined,
      replay: cursor === undefined ? undefined : { cursor, waiting: false },
    }
    const headers = {
      ...answers.headers(exchange),
      ...(protocols.length > 0 && { 'sec-websocket-protocol': subprotocol }),
    }
    const upgraded = server.upgrade(request, { data, headers })
    if (!upgraded) chat.release(identity.user)
    return upgraded
  }
}
