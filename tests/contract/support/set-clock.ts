/**
 * Preloaded into the service of one test. While the file `clock` exists in the data folder, the monotonic
 * clock stands still at the number of seconds in that file. A test cannot wait for a minute of silence.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileIn = (dataDir: string) => join(dataDir, 'clock')
/** Later than any time that the process has read before, so that its clock never goes back. */
const startMs = 1_000_000_000

/** Sets the clock of a service that has loaded this file. */
export function setClock(dataDir: string, seconds: number): void {
  // Renamed, so that the service never reads a part of it.
  writeFileSync(`${fileIn(dataDir)}.new`, String(seconds))
  renameSync(`${fileIn(dataDir)}.new`, fileIn(dataDir))
}

const dataDir = process.env.DATA_DIR
if (dataDir !== undefined) {
  const real = performance.now.bind(performance)
  performance.now = () =>
    existsSync(fileIn(dataDir)) ? startMs + Number(readFileSync(fileIn(dataDir), 'utf8')) * 1000 : real()
}
