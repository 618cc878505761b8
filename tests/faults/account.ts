import type { ChatMessage } from './ledger.ts'
import type { Server } from './server.ts'

const timeoutMs = 30_000
const password = 'correct horse battery staple'

export interface Account {
  username: string
  token: string
}

export interface ApiResponse {
  status: number
  /** The code of the problem, if the response is one. */
  code?: string
}

export async function createAccount(server: Server, username: string): Promise<Account> {
  const credentials = { username, password: 'correct horse battery staple' }
  const registered = await post(server, '/api/auth/register', credentials)
  if (registered.status !== 201)
    throw new Error(`register returned ${registered.status}: ${await registered.text()}`)
  const loggedIn = await post(server, '/api/auth/login', credentials)
  if (loggedIn.status !== 200) throw new Error(`login returned ${loggedIn.status}: ${await loggedIn.text()}`)
  const { token } = (await loggedIn.json()) as { token: string }
  return { username, token }
}

export async function register(server: Server, username: string): Promise<ApiResponse> {
  return toApiResponse(await post(server, '/api/auth/register', { username, password }))
}

/** Rejects if the connection ends without a response. */
export async function send(
  server: Server,
  account: Account,
  message: string,
  key?: string,
): Promise<ApiResponse> {
  const headers = { ...bearer(account), ...(key && { 'idempotency-key': `"${key}"` }) }
  return toApiResponse(await post(server, '/api/chats/send', { message }, headers))
}

/** All messages, oldest first: with `after`, paged forwards from there, otherwise paged backwards from the newest. */
export async function listMessages(server: Server, account: Account, after?: string): Promise<ChatMessage[]> {
  const pages: ChatMessage[][] = []
  let cursor: string | null = after ?? null
  do {
    const query = new URLSearchParams({ limit: '200' })
    if (cursor) query.set(after ? 'after' : 'before', cursor)
    const response = await fetch(`${server.url}/api/chats/messages?${query}`, {
      headers: bearer(account),
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status !== 200)
      throw new Error(`messages returned ${response.status}: ${await response.text()}`)
    const page = (await response.json()) as { messages: ChatMessage[]; next: string | null }
    pages.push(page.messages)
    cursor = page.next
  } while (cursor)
  return (after ? pages : pages.reverse()).flat()
}

export async function status(server: Server, path: string, account?: Account): Promise<number> {
  const response = await fetch(server.url + path, {
    headers: account ? bearer(account) : {},
    signal: AbortSignal.timeout(timeoutMs),
  })
  await response.bytes()
  return response.status
}

export function bearer(account: Account): { authorization: string } {
  return { authorization: `Bearer ${account.token}` }
}

async function toApiResponse(response: Response): Promise<ApiResponse> {
  const body = (await response.json()) as { code?: string }
  return { status: response.status, ...(body.code && { code: body.code }) }
}

function post(
  server: Server,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  })
}
