import { createAsynchronousPorts } from './asynchronous-ports.ts'
import { type Service, startService } from './service.ts'

/** Starts the service on ports that answer with promises only. */
export async function startAsynchronous(
  environment: Readonly<Record<string, string>> = { RATE_LIMITS: 'on' },
) {
  const { wrap, outages, calls } = createAsynchronousPorts()
  return Object.assign(await startService(environment, { wrapStorage: wrap }), { outages, calls })
}

export const credentials = { username: 'someone', password: 'a long password' }

/** The texts of all stored messages, in their order. */
export async function readHistory({ get }: Pick<Service, 'get'>, token: string): Promise<string[]> {
  const texts: string[] = []
  let after = ''
  for (;;) {
    const response = await get(`/api/chats/messages?limit=200${after}`, token)
    const { messages, next } = (await response.json()) as { messages: { message: string }[]; next: string }
    texts.unshift(...messages.map(({ message }) => message))
    if (next === null) return texts
    after = `&before=${next}`
  }
}

/** Changes some account every few milliseconds, so that cached identities are read again and again. */
export function keepChangingAccounts({ storage }: Service, id: string) {
  let from = 'no hash'
  const timer = setInterval(async () => {
    const to = crypto.randomUUID()
    if (await storage.users.rehash(id, { from, to })) from = to
  }, 3)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
