import type { RedisClient } from 'bun'

export interface Script {
  run<Result>(client: RedisClient, keys: readonly string[], values: readonly string[]): Promise<Result>
}

/** Redis does not have the script: it was restarted, or its scripts were flushed. */
const isMissing = (error: unknown) => error instanceof Error && error.message.includes('NOSCRIPT')

/** Creates a script that Redis runs as one transaction. It is sent by its hash, once Redis has it. */
export function createScript(text: string): Script {
  const hash = new Bun.CryptoHasher('sha1').update(text).digest('hex')
  return {
    async run(client, keys, values) {
      const parameters = [String(keys.length), ...keys, ...values]
      try {
        return await client.send('EVALSHA', [hash, ...parameters])
      } catch (error) {
        if (!isMissing(error)) throw error
        return client.send('EVAL', [text, ...parameters])
      }
    },
  }
}
