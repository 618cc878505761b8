import type { Redis } from '../storage/redis/connection.ts'
import type { OpenRangeExchange, RangeExchange, RangeReceiver } from './range-exchange.ts'
import type { SignedRanges } from './signed-ranges.ts'

interface RedisRangeExchangeOptions {
  readonly redis: Redis
  readonly ranges: SignedRanges
  /** Called with errors of background work. */
  readonly onError: (error: unknown) => void
}

/** How often a node publishes a beat, by which it notices that its subscription has become silent. */
const beatMs = 500

/** Without a message or a beat for this time, the subscription is replaced. */
const silentAfterMs = 1500

/** The length of the texts that Redis has not confirmed yet. More are not published, and have to be read. */
const maxOutstandingLength = 8_000_000

/** How often messages that no node has signed are reported. */
const reportIntervalMs = 60_000

/** Followed by the session of the process that publishes it. */
const beatPrefix = 'beat '

/** The number of sessions that are remembered. Without a limit, forged beats would fill the memory. */
const maxSessions = 1000

/** Reports an error, at most once a minute. */
function createOccasionalReport(onError: (error: unknown) => void) {
  let reportedAt = Number.NEGATIVE_INFINITY
  return (error: () => Error): void => {
    const now = performance.now()
    if (now - reportedAt < reportIntervalMs) return
    reportedAt = now
    onError(error())
  }
}

/** The processes whose messages arrive: their beats do. Others have no Redis, or have lost it. */
function createHeardSessions() {
  const heardAt = new Map<string, number>()
  return {
    hear(session: string): void {
      // In the order of their last beat.
      heardAt.delete(session)
      heardAt.set(session, performance.now())
      const [oldest = ''] = heardAt.keys()
      if (heardAt.size > maxSessions) heardAt.delete(oldest)
    },
    has: (session: string) =>
      performance.now() - (heardAt.get(session) ?? Number.NEGATIVE_INFINITY) < silentAfterMs,
  }
}

function createPublisher(redis: Redis, channel: string, beat: string) {
  const connection = redis.connect({
    name: 'parley-publish',
    // A user that may not publish is an outage, which is reported once.
    prepare: (client) => client.publish(channel, beat),
  })
  let outstanding = 0

  async function send(text: string): Promise<void> {
    outstanding += text.length
    try {
      await connection.run((client) => client.publish(channel, text))
    } catch (error) {
      connection.replace(`Redis refuses to publish: ${(error as Error).message}`)
    } finally {
      outstanding -= text.length
    }
  }

  return {
    /** Never waits. The text is lost if Redis does not take it: it is in the database. */
    publish(text: string): void {
      if (connection.isConnected() && outstanding + text.length <= maxOutstandingLength) void send(text)
    },
    close: connection.close,
  }
}

/** Carries stored messages by Redis' publish and subscribe (docs/decisions/redis.md). */
export function createRedisRangeExchange(options: RedisRangeExchangeOptions): OpenRangeExchange {
  const { redis, ranges, onError } = options
  const { channel } = ranges
  const report = createOccasionalReport(onError)

  return ({ session: ownSession, isNew, offer, missed }: RangeReceiver): RangeExchange => {
    const sessions = createHeardSessions()
    const beat = beatPrefix + ownSession
    let heardAt = 0

    function receive(text: string): void {
      heardAt = performance.now()
      if (text.startsWith(beatPrefix)) {
        sessions.hear(text.slice(beatPrefix.length))
        return
      }
      const through = ranges.claimedThrough(text)
      // Among these are the own messages, whose signature would cost as much as that of others.
      if (through !== undefined && !isNew(through)) return
      const range = ranges.decode(text)
      if (range) offer(range)
      else report(() => new Error('Redis has delivered a message that no node has signed. It is ignored.'))
    }

    const publisher = createPublisher(redis, channel, beat)
    const subscription = redis.connect({
      name: 'parley-subscribe',
      async prepare(client) {
        await client.subscribe(channel, (text) => {
          try {
            receive(text)
          } catch (error) {
            onError(error)
          }
        })
        heardAt = performance.now()
      },
      // While no connection was subscribed, messages were published.
      onConnected: missed,
      onLost: missed,
    })
    const timer = setInterval(() => {
      publisher.publish(beat)
      if (subscription.isConnected() && performance.now() - heardAt > silentAfterMs) {
        subscription.replace(`The subscription has received nothing for ${silentAfterMs} ms`)
      }
    }, beatMs)

    return {
      publish(range) {
        const text = ranges.encode(range)
        if (text !== undefined) publisher.publish(text)
      },
      isReceiving: (session) =>
        subscription.isConnected() && (session === undefined || sessions.has(session)),
      close() {
        clearInterval(timer)
        subscription.close()
        publisher.close()
      },
    }
  }
}
