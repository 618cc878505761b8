import { type Chat, createClient } from '../../../client/src/index.ts'
import type { Service } from '../../unit/support/service.ts'

export const fast = { firstDelayMs: 20, maxDelayMs: 100 }

/** A client with the token of a new account. */
export async function clientOf(service: Service, username: string) {
  const client = createClient(service.url)
  client.setToken((await service.account(username)).token)
  return client
}

/** The texts of the messages that the chat receives. */
export function received(chat: Chat): string[] {
  const texts: string[] = []
  chat.on('message', ({ message }) => texts.push(message))
  return texts
}
