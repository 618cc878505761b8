import type { ProblemCode } from '../contract/problems.ts'
import type { CloseCodeName, ReadinessCode } from '../contract/types.gen.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/** Counts the responses to requests. */
export interface RequestMetrics {
  /**
   * Creates a function that counts the responses of one route with one status. It is for the path that every
   * successful request takes: the labels are looked up once.
   */
  counter(method: string, route: string, status: number): (ms: number) => void
  /** @param code the code of the problem, if the response is one */
  count(
    request: { readonly method: string; readonly route: string | undefined; readonly ms: number },
    status: number,
    code?: ProblemCode,
  ): void
}

export interface SocketMetrics {
  opened(): void
  /** @param code of the close event @param reason why the service ended the connection, if it did */
  closed(code: number, reason: CloseCodeName | undefined): void
  /** Counts the deliveries of one message. */
  delivered(sockets: number): void
  /** Counts one page of a replay. */
  replayed(messages: number): void
  /** Counts an error frame. */
  refused(code: ProblemCode): void
}

export interface LogMetrics {
  /** Counts one commit. @param added the number of messages that were not repeated */
  committed(batchSize: number, added: number, ms: number): void
  commitFailed(): void
}

/** The state of the messages, as the log knows it. */
export interface LogMeasurements {
  /** The positions from the oldest stored message to the newest, including those of removed messages. */
  readonly positions: number
  /** Milliseconds since the epoch. */
  readonly oldestSentAt: number | undefined
}

/** The state of a node that shares its storage with others. */
export interface NodeMeasurements {
  /** The messages that are stored, and that this node has not delivered to its clients yet. */
  readonly lagMessages: number
  /** How often messages were read because they did not arrive by themselves. */
  readonly healings: number
  /** Seconds since the feed of changes was read successfully. */
  readonly feedAge: number
}

/** The state of the storage. A value is undefined if the engine does not have it or cannot be asked now. */
export interface StorageMeasurements {
  readonly log?: LogMeasurements | undefined
  readonly databaseBytes?: number | undefined
  readonly walBytes?: number | undefined
  /** The bytes that can still be written to the file system of the data folder. */
  readonly freeBytes?: number | undefined
  readonly node?: NodeMeasurements | undefined
  /** Whether the limits of all nodes are counted together now. */
  readonly limitsShared?: boolean | undefined
  /** How often lost connections were replaced, by the name of the engine. */
  readonly reconnects?: Readonly<Record<string, number>> | undefined
}

/** The values that are read at each scrape. */
export interface MetricSources {
  isReady(): boolean
  /** Why requests cannot be served, or only some of them. */
  unmet(): readonly ReadinessCode[]
  sockets(): number
  readonly maxSockets: number
  /** Bytes that wait for clients. */
  backlogBytes(): number
  hashing(): { readonly running: number; readonly waiting: number }
  readonly maxHashingQueue: number
  cachedIdentities(): number
  readonly retention: { readonly seconds: number; readonly messages: number }
  storage(): MaybePromise<StorageMeasurements>
}

/**
 * What the features report to. It exists only if METRICS_PORT is set; the features then call it with plain
 * numbers, and do not know how they are counted or served (docs/decisions/metrics.md).
 */
export interface Metrics {
  readonly requests: RequestMetrics
  readonly sockets: SocketMetrics
  readonly log: LogMetrics
  /** Creates a function that counts a request which the rate limit of this policy refused. */
  refusals(policy: string): () => void
  /** Counts one lookup in the cache of identities. */
  identityLookup(hit: boolean): void
  /** Counts an error of background work, for which no request is waiting. */
  backgroundFailure(): void
  /** Sets what is read at each scrape. Before that, those metrics are missing. */
  setSources(sources: MetricSources): void
  /** The text of a scrape, and its media type. */
  scrape(): Promise<{ readonly text: string; readonly contentType: string }>
}
