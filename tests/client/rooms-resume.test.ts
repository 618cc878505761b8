import { expect, test } from 'bun:test'
import { createClient } from '../../client/src/index.ts'
import { startService } from '../unit/support/service.ts'
import { interrupt } from './support/interruptions.ts'
import {
  newUser,
  password,
  sleep,
  startRestartable,
  storedMessages,
  until,
} from './support/restartable-service.ts'
import { createRoom, entriesOf, fast, namesOf, of, switchable } from './support/room-chats.ts'
import { observe } from './support/states.ts'
import { startProxy } from './support/tcp-proxy.ts'

test('memberships that change while a chat is disconnected arrive when it resumes', async () => {
  await using service = await startService()
  const [ada, bob] = [await newUser(service.url), await newUser(service.url)]
  const network = switchable()
  const client = createClient(service.url, { WebSocket: network.WebSocket })
  await client.loginUser({ username: bob.username, password })
  const kept = await createRoom(ada.client, 'kept', [bob.username])
  const lost = await createRoom(ada.client, 'lost', [bob.username])
  await using chat = client.chat(fast)
  observe(chat)
  const entries = entriesOf(chat)
  await chat.opened()
  network.off()
  await until(() => chat.state.name === 'waiting')
  const say = (room: string, message: string) => ada.client.sendMessage({ room, message })
  await say(lost, 'before the removal')
  await ada.client.removeMember({ room: lost, username: bob.username })
  await say(lost, 'after the removal')
  await ada.client.removeMember({ room: kept, username: bob.username })
  await say(kept, 'in between')
  await ada.client.setMember({ room: kept, username: bob.username })
  await say(kept, 'joined again')
  const added = await createRoom(ada.client, 'added', [bob.username])
  await say(added, 'welcome')
  network.on()
  await until(() => of(entries, added).includes('welcome'))
  await until(() => chat.state.name === 'open')
  expect(of(entries, lost)).toEqual(['before the removal', `left ${bob.username}`])
  expect(of(entries, kept)).toEqual([`left ${bob.username}`, `joined ${bob.username}`, 'joined again'])
  expect(namesOf(chat)).toEqual(['added', 'kept'])
})

test('another user has other rooms', async () => {
  await using service = await startService()
  const [ada, bob] = [await newUser(service.url), await newUser(service.url)]
  await createRoom(ada.client, 'of ada')
  await createRoom(bob.client, 'of bob')
  await using chat = ada.client.chat(fast)
  await chat.opened()
  expect(namesOf(chat)).toEqual(['of ada'])
  await ada.client.loginUser({ username: bob.username, password })
  await until(() => chat.state.name === 'open' && chat.user?.username === bob.username)
  expect(namesOf(chat)).toEqual(['of bob'])
})

test('after a gap, the rooms are complete when the chat is open again', async () => {
  await using service = await startRestartable()
  const { client, username } = await newUser(service.url)
  await createRoom(client, 'in the first log')
  const chat = client.chat(fast)
  await chat.opened()
  await service.kill()
  await using other = await startRestartable({ PORT: String(service.port) })
  const ada = await newUser(other.url)
  await client.registerUser({ username, password })
  await createRoom(ada.client, 'in the second log', [username])
  await client.loginUser({ username, password })
  await until(() => chat.state.name === 'open' && chat.user?.username === username)
  await until(() => namesOf(chat).includes('in the second log'))
  expect(namesOf(chat)).toEqual(['in the second log'])
  await chat.close()
}, 300_000)

test('rooms whose events were removed before the chat resumes are in the list when it is open', async () => {
  await using service = await startService()
  const [ada, bob] = [await newUser(service.url), await newUser(service.url)]
  let connections = 0
  /** The `joined` frames are lost. The second connection reports it, like a removal by the retention limits. */
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      this.addEventListener('message', (event) => {
        if (String(event.data).includes('"event":"joined"')) event.stopImmediatePropagation()
      })
      if (++connections === 1) return
      const cursor = new URL(url).searchParams.get('after')
      this.addEventListener('open', () => {
        const data = JSON.stringify({ event: 'gap', oldest: null, cursor })
        queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data })))
      })
    }
  }
  const client = createClient(service.url, { WebSocket: Socket })
  await client.loginUser({ username: bob.username, password })
  await using chat = client.chat(fast)
  const gaps: unknown[] = []
  chat.on('gap', (gap) => gaps.push(gap))
  await chat.opened()
  const entries = entriesOf(chat)
  await createRoom(ada.client, 'without an event', [bob.username])
  await ada.client.sendMessage({ message: 'afterwards' })
  await until(() => of(entries, undefined).includes('afterwards'))
  expect(namesOf(chat)).toEqual([])
  // A new login ends the connection.
  await client.loginUser({ username: bob.username, password })
  await until(() => gaps.length === 1 && chat.state.name === 'open')
  expect(namesOf(chat)).toEqual(['without an event'])
})

test('a list that cannot be read is requested again on the next connection', async () => {
  await using service = await startService()
  const { client: ada, username } = await newUser(service.url)
  await createRoom(ada, 'mine')
  let failures = 2
  const client = createClient(service.url, {
    fetch: (url, init) =>
      url.includes('/api/rooms') && failures-- > 0 ? Promise.reject(new TypeError('lost')) : fetch(url, init),
  })
  await client.loginUser({ username, password })
  await using chat = client.chat(fast)
  const { states } = observe(chat)
  await chat.opened()
  expect(namesOf(chat)).toEqual(['mine'])
  expect(states.filter((name) => name === 'catching-up')).toHaveLength(3)
})

test('ten rounds of kills and cut connections lose, double and reorder nothing in any room', async () => {
  await using service = await startRestartable()
  await using proxy = await startProxy(service.port)
  const users = await Promise.all([1, 2, 3].map(() => newUser(proxy.url, { retries: 20 })))
  const owner = (users[0] as (typeof users)[0]).client
  const names = users.map(({ username }) => username)
  const rooms = [await createRoom(owner, 'a', names.slice(1)), await createRoom(owner, 'b', names.slice(1))]
  const places = [...rooms, undefined]
  const chats = await Promise.all(
    users.map(async ({ client }) => {
      const chat = client.chat({ ...fast, pingAfterMs: 2000, pongTimeoutMs: 2000, connectTimeoutMs: 2000 })
      observe(chat)
      const entries = entriesOf(chat)
      await chat.opened()
      return { chat, entries }
    }),
  )
  let over = false
  const sending = chats.map(async ({ chat }, sender) => {
    const sent: Promise<unknown>[] = []
    const texts = new Map<string | undefined, string[]>(places.map((place) => [place, []]))
    for (let index = 0; !over; index++) {
      await until(() => chat.pending < 50)
      const room = places[index % places.length]
      texts.get(room)?.push(`${sender}-${index}`)
      sent.push(chat.send(`${sender}-${index}`, { room }))
      await sleep(Math.random() * 5)
    }
    await Promise.all(sent)
    return texts
  })
  await interrupt({ service, proxy }, 10)
  over = true
  const sent = await Promise.all(sending)
  for (const room of places) {
    const log: string[] = []
    if (room === undefined) log.push(...(await storedMessages(owner)).map(({ message }) => message))
    else
      for await (const page of owner.history({ room, limit: 200 }))
        log.unshift(...page.map((each) => each.message))
    for (const [sender, texts] of sent.entries()) {
      const own = texts.get(room) as string[]
      expect(own.length).toBeGreaterThan(5)
      expect(log.filter((text) => text.startsWith(`${sender}-`))).toEqual(own)
    }
    for (const { entries } of chats) {
      await until(() => of(entries, room).length >= log.length)
      expect(of(entries, room)).toEqual(log)
    }
  }
  for (const { chat } of chats) {
    expect(namesOf(chat)).toEqual(['a', 'b'])
    await chat.close()
  }
}, 300_000)
