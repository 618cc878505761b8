// The script of the try-it page: two people who really register, log in and talk through this server.
import { createClient } from '../../../client/src/index.ts'
import { byId } from './elements.ts'
import { createNetwork } from './network.ts'
import { createPane, type Pane } from './pane.ts'
import { showCommands } from './terminal.ts'

// The address of this page: a proxy may have published the service under a prefix.
const server = new URL('.', location.href)
const start = byId<HTMLButtonElement>('start')
const problem = byId('problem')

/** Those of the two panes. */
const usernames: string[] = []

const randomText = (bytes: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(36).padStart(2, '0'),
  ).join('')

/** Registers a person, logs in, and connects. */
async function join(name: string): Promise<{ pane: Pane; token: string }> {
  const account = { username: `${name}-${randomText(3)}`, password: randomText(16) }
  const network = createNetwork(name)
  const client = createClient(server, {
    fetch: network.fetch,
    WebSocket: network.WebSocket,
    onAuthRequired: (_, own) => own.loginUser(account),
  })
  await client.registerUser(account)
  await client.loginUser(account)
  // Shorter delays than an application should use, so that a cut heals while somebody watches.
  const chat = client.chat({ rooms: 'mine', window: 8, firstDelayMs: 500, maxDelayMs: 4000 })
  const { username } = account
  usernames.push(username)
  const other = () => usernames.find((each) => each !== username)
  const pane = createPane({ username, client, chat, network, other })
  await chat.opened()
  return { pane, token: client.token ?? '' }
}

let panes: Pane[] = []

async function begin(): Promise<void> {
  for (const pane of panes) pane.close()
  panes = []
  usernames.length = 0
  const ada = await join('ada')
  panes.push(ada.pane)
  const bob = await join('bob')
  panes.push(bob.pane)
  await ada.pane.send('Hello, world!')
  await bob.pane.send('Hello, Ada!')
  showCommands(server, ada.token)
}

start.addEventListener('click', async () => {
  start.disabled = true
  problem.textContent = ''
  try {
    await begin()
    start.textContent = 'Start again with two new accounts'
  } catch (error) {
    problem.textContent = `It did not work: ${error instanceof Error ? error.message : error}`
  } finally {
    start.disabled = false
  }
})
