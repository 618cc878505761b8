import { expect, test } from 'bun:test'
import type { Chat, ChatMessage } from '../../client/src/index.ts'
import { interrupt } from './support/interruptions.ts'
import { newUser, sleep, startRestartable, storedMessages, until } from './support/restartable-service.ts'
import { observe } from './support/states.ts'
import { startProxy } from './support/tcp-proxy.ts'

const fast = {
  firstDelayMs: 20,
  maxDelayMs: 200,
  pingAfterMs: 2000,
  pongTimeoutMs: 2000,
  connectTimeoutMs: 2000,
}

interface Sent {
  readonly key: string
  settled: number
  message?: ChatMessage
}

/** Sends messages until `isOver`, and records how often each one settles. */
async function keepSending(chat: Chat, name: string, isOver: () => boolean): Promise<Sent[]> {
  const all: Sent[] = []
  const pending: Promise<void>[] = []
  for (let index = 0; !isOver(); index++) {
    await until(() => chat.pending < 50)
    const sent: Sent = { key: `${name}-${index}`, settled: 0 }
    all.push(sent)
    pending.push(
      chat.send(`text of ${sent.key}`, { idempotencyKey: sent.key }).then(
        (message) => {
          sent.settled++
          sent.message = message
        },
        () => void sent.settled++,
      ),
    )
    if (index % 3 === 0) await sleep(Math.random() * 5)
  }
  await Promise.all(pending)
  return all
}

for (const window of [1, 9]) {
  test(`twenty rounds of kills and cut connections lose, double and reorder nothing, with window ${window}`, async () => {
    await using service = await startRestartable()
    await using proxy = await startProxy(service.port)
    const clients = await Promise.all(
      ['anna', 'bert', 'cleo'].map(async (name) => {
        const { client } = await newUser(proxy.url, { retries: 20 })
        const chat = client.chat({ ...fast, window })
        observe(chat)
        const received: ChatMessage[] = []
        chat.on('message', (message) => received.push(message))
        await chat.opened()
        return { name, client, chat, received }
      }),
    )
    let over = false
    const sending = clients.map(({ name, chat }) => keepSending(chat, name, () => over))
    await interrupt({ service, proxy }, 20)
    over = true
    const sent = await Promise.all(sending)

    const log = await storedMessages((clients[0] as (typeof clients)[0]).client)
    const ids = log.map(({ id }) => id)
    for (const [index, { chat, received, name }] of clients.entries()) {
      await until(() => received.length >= log.length)
      expect(received.map(({ id }) => id)).toEqual(ids)
      const mine = sent[index] as Sent[]
      expect(mine.length).toBeGreaterThan(20)
      expect(mine.filter(({ settled, message }) => settled !== 1 || !message)).toEqual([])
      const stored = log.filter(({ idempotencyKey }) => idempotencyKey?.startsWith(name))
      const keys = stored.map(({ idempotencyKey }) => idempotencyKey as string)
      if (window === 1) expect(keys).toEqual(mine.map(({ key }) => key))
      else expect(keys.toSorted()).toEqual(mine.map(({ key }) => key).toSorted())
      expect(mine.map(({ message }) => message)).toEqual(
        mine.map(({ key }) => stored.find(({ idempotencyKey }) => idempotencyKey === key)),
      )
      await chat.close()
    }
  }, 120_000)
}
