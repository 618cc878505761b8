import { afterAll, setDefaultTimeout } from 'bun:test'
import { stopServers } from './server.ts'

/**
 * Sets up a test file. Each file has to call this itself: both settings apply only to the file that is
 * being loaded, while an imported module is evaluated only once for all files of a run.
 */
export function setUpTestFile(): void {
  setDefaultTimeout(180_000)
  afterAll(stopServers)
}
