// Measures the conditions of a run: the noise of the machine, and what else uses its processors.

import { readFileSync } from 'node:fs'
import { connections, type Harness } from './harness.ts'
import type { Server } from './processes.ts'
import { interleaveGenerations } from './rounds.ts'
import { ratios } from './statistics.ts'
import { requireWrk, runWrk } from './wrk.ts'

/** Measures the rate of two processes of the same server in turn and returns their ratios. */
export async function measureNoise(harness: Harness): Promise<number[]> {
  requireWrk()
  const load = {
    path: '/api/users/profile',
    script: 'get.lua',
    environment: await harness.anonymousScriptEnvironment(),
    connections,
    seconds: harness.size.seconds,
  }
  const rates = await interleaveGenerations(harness.size, async () => {
    const [first, second] = [await harness.startBaseline(), await harness.startBaseline()]
    const rate = (server: Server) => async () => (await runWrk({ ...load, server })).perSecond
    return {
      measurements: { first: rate(first), second: rate(second) },
      stop: () => Promise.all([first.stop(), second.stop()]),
    }
  })
  return ratios(rates.first, rates.second)
}

/** Starts to observe the processors. The result returns the shares of their time since then. */
export function observeProcessors(): () => { busy: number; stolen: number } {
  const before = processorTimes()
  return () => {
    const after = processorTimes()
    const total = after.total - before.total
    return {
      busy: (after.busy - before.busy) / total,
      stolen: (after.stolen - before.stolen) / total,
    }
  }
}

/** Reads the first line of proc_stat(5): user, nice, system, idle, iowait, irq, softirq and steal. */
function processorTimes() {
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0] =
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? []
  const busy = user + nice + system + irq + softirq
  return { busy, stolen, total: busy + idle + waiting + stolen }
}
