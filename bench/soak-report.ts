// The judgement of a soak: whether memory and file descriptors stayed flat, and whether a message was lost.

import { quantity, table } from './report.ts'
import { median, slope } from './statistics.ts'

export interface SoakSample {
  seconds: number
  residentBytes: number
  openFiles: number
}

/** The samples of one process, from its start until it was killed. */
export interface Lifetime {
  samples: SoakSample[]
}

export interface Soak {
  build: string
  lifetimes: Lifetime[]
  counts: Record<string, number>
  /** What went wrong with the messages. */
  findings: string[]
  /** A quick run is too short to judge its memory. */
  isQuick: boolean
}

/** The share of a lifetime in which caches, pools and the compiler of the engine still grow. */
const warmUpShare = 1 / 3
/** The accepted growth from the end of the warm-up to the end of the lifetime, by the line through the samples. */
const limits = { residentBytes: 0.05, openFiles: 0.02 }
const names = { residentBytes: 'resident memory', openFiles: 'open files' }

export interface Flatness {
  quantity: keyof typeof limits
  median: number
  /** The growth of the line through the samples, as a share of their median. */
  growth: number
  isFlat: boolean
}

/** Judges the samples of one process after its warm-up. */
export function judgeLifetime({ samples }: Lifetime): Flatness[] {
  const settled = samples.slice(Math.floor(samples.length * warmUpShare))
  const [first, last] = [settled.at(0), settled.at(-1)]
  if (!first || !last || settled.length < 3) throw new Error('The lifetime has too few samples')
  return (Object.keys(limits) as Array<keyof typeof limits>).map((name) => {
    const middle = median(settled.map((sample) => sample[name]))
    const perSecond = slope(settled.map((sample) => ({ x: sample.seconds, y: sample[name] })))
    const growth = (perSecond * (last.seconds - first.seconds)) / middle
    return { quantity: name, median: middle, growth, isFlat: growth <= limits[name] }
  })
}

export function renderSoak({ build, lifetimes, counts, findings, isQuick }: Soak) {
  const judged = lifetimes.map(judgeLifetime)
  // Only the last lifetime is long enough to tell a leak from a warm-up.
  const grown = isQuick ? [] : (judged.at(-1) ?? []).filter(({ isFlat }) => !isFlat)
  const rows = judged.flatMap((flatnesses, index) =>
    flatnesses.map(({ quantity: name, median: middle, growth, isFlat }) => [
      `process ${index + 1} of ${judged.length}`,
      names[name],
      name === 'residentBytes' ? quantity(middle / 1e6, 'MB') : quantity(middle, ''),
      `${(growth * 100).toFixed(1)} %`,
      `≤ ${limits[name] * 100} %`,
      index < judged.length - 1 || isQuick ? '–' : isFlat ? 'flat' : '**grows**',
    ]),
  )
  const problems = [...findings, ...grown.map(({ quantity: name }) => `The ${names[name]} grows.`)]
  const text = [
    '# Soak',
    `The server (${build}) served mixed traffic. It was killed ${lifetimes.length - 1} times.`,
    table(['Process', 'Quantity', 'Median', 'Growth after the warm-up', 'Limit', 'Verdict'], rows),
    table(
      ['Traffic', 'Count'],
      Object.entries(counts).map(([name, count]) => [name, count.toLocaleString('en-US')]),
    ),
    problems.length === 0 ? 'Every acknowledged message is stored exactly once.' : problems.join('\n'),
    ...(isQuick ? ['A quick run is too short to judge memory and open files.'] : []),
  ].join('\n\n')
  return { text: `${text}\n`, passed: problems.length === 0 }
}
