// The conditions of a run: how much the machine itself varies, and what else uses it. They decide whether the figures
// of the run may be quoted.

import { median, quantile } from './statistics.ts'

export interface Conditions {
  /**
   * The ratios of the rates of two processes of the same baseline, one per round, before the first row and after the
   * last one. On a machine without noise, each of them is 1.
   */
  noise: { before: number[]; after: number[] }
  /** The share of the machine's processor time that other programs used before the run started. */
  otherWork: number
  /** The share of the machine's processor time that the hypervisor took away during the run. */
  stolen: number
}

/** Beyond these limits, a figure says more about the machine than about the server. */
const limits = {
  /** How far the median of the noise may be from 1. A regression of 5 % has to be visible. */
  bias: 0.03,
  /** How far from its median the middle 80 % of the noise may reach. The median of 20 rounds is four times as exact. */
  spread: 0.15,
  otherWork: 0.05,
  stolen: 0.02,
}

/** Why the figures of a run must not be quoted. Empty if they may be. */
export function reasonsNotToQuote(conditions: Conditions | undefined): string[] {
  if (!conditions) return ['The conditions of the run were not recorded.']
  const { noise, otherWork, stolen } = conditions
  const reasons = Object.entries(noise).flatMap(([when, samples]) => {
    if (samples.length === 0) return [`The noise ${when} the run was not measured.`]
    const bias = Math.abs(median(samples) - 1)
    const spread = noiseSpread(samples)
    return [
      ...(bias > limits.bias
        ? [
            `Two processes of the same server differ by ${percent(bias)} ${when} the run (limit ${percent(limits.bias)}).`,
          ]
        : []),
      ...(spread > limits.spread
        ? [`The rounds vary by ${percent(spread)} ${when} the run (limit ${percent(limits.spread)}).`]
        : []),
    ]
  })
  if (otherWork > limits.otherWork)
    reasons.push(
      `Other programs use ${percent(otherWork)} of the processors (limit ${percent(limits.otherWork)}).`,
    )
  if (stolen > limits.stolen)
    reasons.push(
      `The hypervisor took ${percent(stolen)} of the processor time (limit ${percent(limits.stolen)}).`,
    )
  return reasons
}

export function conditionRows({
  noise,
  otherWork,
  stolen,
}: Conditions): Array<[name: string, value: string]> {
  return [
    ...Object.entries(noise).map(([when, samples]): [string, string] => [
      `Same server in two processes, ${when} the run`,
      samples.length === 0
        ? 'not measured'
        : `${median(samples).toFixed(3)} ×, middle 80 % within ${percent(noiseSpread(samples))}`,
    ]),
    ['Other programs before the run', `${percent(otherWork)} of the processors`],
    ['Taken by the hypervisor', `${percent(stolen)} of the processor time`],
  ]
}

function noiseSpread(samples: readonly number[]) {
  const middle = median(samples)
  return Math.max(quantile(samples, 0.9) - middle, middle - quantile(samples, 0.1)) / middle
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
