/** How long a node counts after it was heard of for the last time, by the clock of the store. */
export const nodeLifetimeSeconds = 10

/** Requests of one client under one policy, since the last batch. */
export interface CountDelta {
  /** A keyed hash: the store contains no address and no name. */
  readonly key: string
  readonly count: number
  /** How long the window lasts if this batch starts it. */
  readonly seconds: number
}

/** The state of one counter after a batch. */
export interface CountTotal {
  /** The requests that all nodes have counted in the window. */
  readonly total: number
  /** How long the window lasts. */
  readonly seconds: number
}

/** The open WebSockets of one user on this node. */
export interface SocketClaim {
  readonly key: string
  readonly held: number
  /** With those that wait for permission; at least `held`. */
  readonly wanted: number
}

/** What every response of the store contains. */
export interface NodeState {
  /** The number of running nodes, including this one. */
  readonly nodes: number
  /** False if the store had no data of this node: after its first call, and after a loss of data. */
  readonly known: boolean
}

/**
 * The numbers that all nodes share to enforce limits together. They may be lost at any time, which only makes the
 * nodes forget counts.
 *
 * Times are durations: the store measures windows and lifetimes by its own clock, so the clocks of the nodes may
 * differ. One instance belongs to one node.
 */
export interface LimitStore {
  /** Named in messages for operators. */
  readonly name: string
  /** How often counts are sent that no request waits for. */
  readonly batchIntervalMs: number
  /**
   * Adds the counts of a batch and returns the totals in the same order. A batch that was added before is not added
   * again, so a batch whose response was lost is sent once more with its number.
   *
   * @param batch increases with each batch of this node
   * @param deltas with different keys, in ascending order
   */
  count(
    batch: number,
    deltas: readonly CountDelta[],
  ): Promise<NodeState & { readonly totals: readonly CountTotal[] }>
  /**
   * Records the WebSockets that this node holds, and grants those that it wants in addition, up to the limit of one
   * user on all nodes. Returns the granted numbers in the same order. Repeating a call changes nothing.
   *
   * @param claims with different keys
   */
  hold(
    claims: readonly SocketClaim[],
    limit: number,
  ): Promise<NodeState & { readonly granted: readonly number[] }>
  /** Records that this node is running. */
  beat(): Promise<NodeState>
  /** Removes what the store contains of this node, when it stops. */
  leave(): Promise<void>
}

/** The limit store cannot be used, so this node applies the limits on its own. */
export class LimitsNotShared extends Error {
  constructor(store: string, cause: unknown) {
    super(`${store} cannot be used, so this node applies the limits on its own until it can`, { cause })
  }
}
