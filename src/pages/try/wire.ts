// "On the wire": every request and every frame of both people, in the order in which they happened.
import { byId, element } from './elements.ts'

/** `up` is sent to the server, `down` is received from it, and `end` is an error or the end of a connection. */
export type Direction = 'up' | 'down' | 'end'

const maxEntries = 300
const arrows: Readonly<Record<Direction, string>> = { up: '→', down: '←', end: '×' }
const list = byId('wire')

/** Passwords and tokens are not shown: people share screenshots. */
const hideSecrets = (text: string) =>
  text
    .replace(/"(\w*password)":"(?:[^"\\]|\\.)*"/gi, '"$1":"…"')
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'eyJ…')

export function logWire(who: string, direction: Direction, text: string): void {
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8
  list.append(
    element('li', {
      className: direction,
      children: [
        element('time', { text: new Date().toISOString().slice(11, 23) }),
        element('b', { text: who }),
        element('span', { text: `${arrows[direction]} ${hideSecrets(text)}` }),
      ],
    }),
  )
  while (list.childElementCount > maxEntries) list.firstElementChild?.remove()
  // A reader who has scrolled up keeps the place.
  if (isAtEnd) list.scrollTop = list.scrollHeight
}

byId('clear').addEventListener('click', () => list.replaceChildren())
