/** In milliseconds; null before the first call. */
export interface ResponseTimeSummary { mean: number | null, p95: number | null }

/** How long the latest calls took. */
export interface ResponseTimes {
  add(milliseconds: number): void
  summary(): ResponseTimeSummary
}

/** Calls that are remembered: what older ones took says nothing of the dependency now. */
const defaultWindow = 256

const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000

/** Mean and 95th percentile (nearest rank) over the latest `window` calls; costs the same however many there were. */
export function createResponseTimes (window = defaultWindow): ResponseTimes {
  const times = new Float64Array(window)
  let count = 0
  return {
    add (milliseconds) { times[count++ % window] = milliseconds },
    summary () {
      const latest = times.slice(0, Math.min(count, window)).sort()
      const p95 = latest.at(Math.ceil(latest.length * 0.95) - 1)
      if (latest.length === 0 || p95 === undefined) return { mean: null, p95: null }
      return { mean: rounded(latest.reduce((sum, time) => sum + time, 0) / latest.length), p95: rounded(p95) }
    }
  }
}
