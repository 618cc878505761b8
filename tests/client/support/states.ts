import { expect } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { Chat, ChatState } from '../../../client/src/index.ts'

type Name = ChatState['name']

const page = readFileSync(new URL('../../../client/docs/states.md', import.meta.url), 'utf8')
const names = (cell: string) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name as Name)

/** The transitions that the table of the documentation lists. */
export const transitions = new Map(
  [...page.matchAll(/^\| `([a-z-]+)` \|.*\| ([^|]*) \|$/gm)].map(([, name, next]) => [
    name as Name,
    names(next as string),
  ]),
)

/** Records the states of a chat, beginning with the current one, and checks each transition. */
export function observe(chat: Chat): { readonly states: Name[] } {
  const states: Name[] = [chat.state.name]
  chat.on('state', ({ name }) => {
    const before = states.at(-1) as Name
    // The first attempt to connect reports the state that a new chat has.
    if (states.length === 1 && before === name) return
    expect(transitions.get(before)).toContain(name)
    states.push(name)
  })
  return { states }
}
