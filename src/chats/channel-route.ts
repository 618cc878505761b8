import type { Server } from 'bun'
import { channelPath } from '../contract/frames.ts'
import type { Responses } from '../http/responses.ts'
import type { Connection } from './connection.ts'
import { type Handshake, isUpgrade } from './handshake.ts'

interface ChannelRouteOptions {
  readonly handshake: Handshake
  readonly responses: Responses
  /** The page that a request without an upgrade receives. */
  readonly page: { readonly text: string; readonly headers: Readonly<Record<string, string>> }
}

/** The route of the WebSocket channel for Bun's router. After an upgrade there is no response. */
export const createChannelRoute =
  ({ handshake, responses, page }: ChannelRouteOptions) =>
  async (request: Request, server: Server<Connection>): Promise<Response | undefined> => {
    const context = responses.startRequest(request, channelPath, server)
    try {
      if (isUpgrade(request) && (await handshake(context, server))) {
        responses.logRequest(context, 101)
        return undefined
      }
      responses.logRequest(context, 200)
      return new Response(page.text, { headers: { ...responses.headers(context), ...page.headers } })
    } catch (error) {
      return responses.problem(context, error)
    }
  }
