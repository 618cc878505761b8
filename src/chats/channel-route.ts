import type { Server } from 'bun'
import { channelPath } from '../contract/frames.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Responses } from '../http/responses.ts'
import type { SocketData } from './connection.ts'
import { type Handshake, isHandshake } from './handshake.ts'

interface ChannelRouteOptions {
  readonly handshake: Handshake
  readonly responses: Responses
  readonly toProblem: ToProblem
  /** Returns the page that a request without an upgrade receives. */
  readonly page: () => Promise<{ readonly text: string; readonly headers: Readonly<Record<string, string>> }>
}

/** The route of the WebSocket channel for Bun's router. After an upgrade there is no response. */
export const createChannelRoute =
  ({ handshake, responses, toProblem, page }: ChannelRouteOptions) =>
  async (request: Request, server: Server<SocketData>): Promise<Response | undefined> => {
    const context = responses.startRequest(request, channelPath, server)
    if (!isHandshake(request)) {
      const { text, headers } = await page()
      responses.logRequest(context, 200)
      return new Response(text, { headers: { ...responses.headers(context), ...headers } })
    }
    try {
      await handshake.accept(context, server)
      responses.logRequest(context, 101)
      return undefined
    } catch (error) {
      const failure = toProblem(error, context.requestId)
      if (!handshake.refuse(context, server, failure.error)) return responses.problem(context, failure.error)
      responses.logRequest(context, failure.error.status, failure.error.code)
      return undefined
    }
  }
