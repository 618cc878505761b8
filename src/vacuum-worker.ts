// Writes a backup in a thread of its own, so that the main thread can react to signals meanwhile. It is next to
// main.ts, because the compiled binary resolves its path from there.
import { type VacuumOutcome, type VacuumRequest, vacuum } from './storage/sqlite/vacuum.ts'

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<VacuumRequest>) => {
  let outcome: VacuumOutcome
  try {
    outcome = { counts: vacuum(data) }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    outcome = { error: { code, message } }
  }
  self.postMessage(outcome)
}
