import type { RoomActions } from '../../support/rooms.ts'

interface RetentionOptions {
  readonly retentionDays?: number
  readonly retentionCount?: number
}

export interface RoomsStorage extends AsyncDisposable {
  /** Opens the storage, which can be opened again once it has been disposed. */
  open(options?: RetentionOptions): Promise<RoomActions & AsyncDisposable>
}

export interface RoomsEngine {
  readonly name: string
  /** The number of nodes that can open the storage at the same time; 1 by default. */
  readonly nodes?: number
  /** Creates an empty storage. Disposing it removes it. */
  createStorage(): Promise<RoomsStorage>
}
