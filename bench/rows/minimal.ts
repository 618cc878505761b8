import { resolve } from 'node:path'
import { jsonMediaType } from '../../src/contract/operations.ts'
import type { Parley } from '../parley.ts'
import { type ServerOptions, startServer } from '../processes.ts'
import { documentedFrame } from './sockets.ts'

/** A response without the headers that `Bun.serve` adds itself. */
export interface SampleResponse {
  headers: Record<string, string>
  text: string
}

/** Sends one request. @param body makes it a POST request */
export async function sampleResponse(
  { server, tokens }: Pick<Parley, 'server' | 'tokens'>,
  path: string,
  body?: string,
): Promise<SampleResponse> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    headers: { authorization: `Bearer ${tokens[0]}`, 'content-type': jsonMediaType },
    ...(body !== undefined && { method: 'POST', body }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`The response to ${path} was ${response.status}: ${text}`)
  const { date, 'content-length': length, 'content-type': type, ...headers } = response.headers.toJSON()
  return { headers, text }
}

/** Stops `parley`, and starts the minimal server on its database, with the same users and tokens. */
export async function startMinimal(parley: Parley): Promise<Parley> {
  const read = await sampleResponse(parley, '/api/users/profile')
  const send = await sampleResponse(parley, '/api/chats/send', documentedFrame)
  await parley.stop()
  const options: ServerOptions = {
    ...parley.options,
    command: [process.execPath, resolve(import.meta.dir, '../baselines/minimal.ts')],
    environment: {
      DATABASE: parley.databaseFile,
      JWT_SECRET: parley.options.environment.JWT_SECRET ?? '',
      READ: JSON.stringify(read),
      SEND: JSON.stringify(send),
    },
    readyPath: '/livez',
  }
  const server = await startServer(options)
  return { ...parley, server, options, stop: server.stop }
}
