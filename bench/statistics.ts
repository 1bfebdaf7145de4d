/** What repeated measurements came to: the machine is noisy, so the median counts and the ends tell how noisy. */
export interface Spread { min: number, median: number, max: number }

/** The smallest value that a share of the values (0 to 1) does not exceed. */
export function percentile (values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN
}

export function spreadOf (values: readonly number[]): Spread {
  const middle = (percentile(values, 0.5) + (values.length % 2 === 0 ? percentile(values, 0.5 + 1 / values.length) : percentile(values, 0.5))) / 2
  return { min: Math.min(...values), median: middle, max: Math.max(...values) }
}

/** The quotients of what was measured in the same round: what disturbs the machine for long disturbs both alike. */
export function ratios (values: readonly number[], yardstick: readonly number[]): number[] {
  return values.map((value, round) => value / (yardstick[round] ?? NaN))
}
