import { type Chat, type ChatMessage, createClient, isParleyError } from '../../../client/src/index.ts'
import { within } from '../../faults/waiting.ts'
import { startBalancer } from '../balancer.ts'
import { startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const password = 'a password for the cluster'
const kills = 3
const maxMs = 30_000
/** Short, so that a client reaches another node at once. */
const times = {
  firstDelayMs: 20,
  maxDelayMs: 200,
  pingAfterMs: 1000,
  pongTimeoutMs: 1000,
  connectTimeoutMs: 1000,
}

interface Sender {
  readonly chat: Chat
  readonly received: ChatMessage[]
  /** The messages that `send` resolved with. */
  readonly confirmed: ChatMessage[]
  rejected: number
}

async function openSender(url: string, username: string): Promise<Sender> {
  const client = createClient(url, { retries: 20 })
  await client.registerUser({ username, password })
  await client.loginUser({ username, password })
  const chat = client.chat(times)
  const received: ChatMessage[] = []
  chat.on('message', (message) => received.push(message))
  await chat.opened()
  return { chat, received, confirmed: [], rejected: 0 }
}

async function keepSending(sender: Sender, isOver: () => boolean): Promise<void> {
  for (let index = 0; !isOver(); index++) {
    try {
      sender.confirmed.push(await sender.chat.send(`message ${index}`))
    } catch (error) {
      if (!isParleyError(error)) throw error
      sender.rejected++
    }
  }
}

/** The client library behind a load balancer: nodes are killed and replaced while three clients send. */
export const clientLibrary: Scenario = {
  title: 'nodes are killed under clients of the library',
  rounds: 4,
  quickRounds: 1,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres)
    using balancer = await startBalancer(cluster.nodes)
    const senders = await Promise.all(['anna', 'bert', 'cleo'].map((name) => openSender(balancer.url, name)))
    let over = false
    const sending = senders.map((sender) => keepSending(sender, () => over))
    for (let kill = 0; kill < kills; kill++) {
      await Bun.sleep(300)
      await cluster.kill(random.pick(cluster.nodes))
      await Bun.sleep(300)
      await cluster.join()
    }
    over = true
    await within(maxMs, 'every message settles', Promise.all(sending))

    const confirmed = senders.flatMap((sender) => sender.confirmed)
    const ids = new Set(confirmed.map(({ id }) => id))
    const everythingArrived = async () => {
      while (senders.some(({ received }) => !isSuperset(received, ids))) await Bun.sleep(10)
    }
    const findings: string[] = []
    await within(maxMs, 'every client receives every confirmed message', everythingArrived()).catch((error) =>
      findings.push(String(error)),
    )
    let [lost, duplicated, reordered] = [0, 0, 0]
    for (const { received, rejected, chat } of senders) {
      const own = received.map(({ id }) => id)
      lost += [...ids].filter((id) => !own.includes(id)).length
      duplicated += own.length - new Set(own).size
      reordered += own.filter((id, index) => id < (own[index - 1] ?? '')).length
      if (rejected > 0) findings.push(`${rejected} messages were rejected`)
      await chat.close()
    }
    duplicated += confirmed.length - ids.size
    return { acknowledged: confirmed.length, lost, duplicated, reordered, findings, longestDelayMs: 0 }
  },
}

const isSuperset = (messages: readonly ChatMessage[], ids: ReadonlySet<string>) =>
  messages.length >= ids.size && new Set(messages.map(({ id }) => id)).isSupersetOf(ids)
