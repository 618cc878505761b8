import { expect } from 'bun:test'
import type { Chat, ChatState } from '../../../client/src/index.ts'

type Name = ChatState['name']

/** The transitions that client/docs/chat.md lists. */
export const transitions: Readonly<Record<Name, readonly Name[]>> = {
  connecting: ['connecting', 'catching-up', 'waiting', 'unauthorized', 'paused', 'closed'],
  'catching-up': ['open', 'connecting', 'waiting', 'unauthorized', 'paused', 'closed'],
  open: ['connecting', 'waiting', 'unauthorized', 'paused', 'closing', 'closed'],
  waiting: ['connecting', 'unauthorized', 'paused', 'closed'],
  unauthorized: ['connecting', 'closed'],
  paused: ['connecting', 'unauthorized', 'closed'],
  closing: ['closed'],
  closed: [],
}

/** Records the states of a chat, beginning with the current one, and checks each transition. */
export function observe(chat: Chat): { readonly states: Name[] } {
  const states: Name[] = [chat.state.name]
  chat.on('state', ({ name }) => {
    const before = states.at(-1) as Name
    // The first attempt to connect reports the state that a new chat has.
    if (states.length === 1 && before === name) return
    expect(transitions[before]).toContain(name)
    states.push(name)
  })
  return { states }
}
