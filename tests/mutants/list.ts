import { accountsMutants } from './accounts.ts'
import { chatsReceivingMutants } from './chats-receiving.ts'
import { chatsStoringMutants } from './chats-storing.ts'
import { clientMutants } from './client.ts'
import { commandsMutants } from './commands.ts'
import { httpMutants } from './http.ts'
import { limitMutants } from './limits.ts'
import { metricsMutants } from './metrics.ts'
import { postgresMutants } from './postgres.ts'
import { postgresRoomsMutants } from './postgres-rooms.ts'
import { redisMutants } from './redis.ts'
import { roomsMutants } from './rooms.ts'
import { storageMutants } from './storage.ts'

/** A change of the source that breaks one promise of the service. */
export interface Mutant {
  readonly id: string
  /** What no longer holds. */
  readonly breaks: string
  readonly file: string
  /** The text to replace; it must occur exactly once. */
  readonly find: string
  readonly replace: string
  /** The test files that are expected to fail. */
  readonly tests: readonly string[]
}

/** Changes the text of the mutant's file. @throws Error unless the text to replace occurs exactly once */
export function mutate({ id, file, find, replace }: Mutant, source: string): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`${id}: the text occurs ${parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

export const mutants: readonly Mutant[] = [
  ...chatsReceivingMutants,
  ...chatsStoringMutants,
  ...accountsMutants,
  ...httpMutants,
  ...commandsMutants,
  ...storageMutants,
  ...roomsMutants,
  ...postgresMutants,
  ...postgresRoomsMutants,
  ...limitMutants,
  ...redisMutants,
  ...metricsMutants,
  ...clientMutants,
]
