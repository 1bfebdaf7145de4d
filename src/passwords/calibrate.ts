import { owaspParameters, parameterBounds, type HashParameters } from './phc.ts'

/** What OWASP's Password Storage Cheat Sheet holds to be equally strong: with so much memory, so many passes at least. */
const equivalents = [
  { memoryKib: 47_104, timeCost: 1 }, { memoryKib: owaspParameters.memoryKib, timeCost: owaspParameters.timeCost },
  { memoryKib: 12_288, timeCost: 3 }, { memoryKib: 9216, timeCost: 4 }, { memoryKib: 7168, timeCost: 5 }
]

/** The fewest passes that are enough with this memory; undefined where none are. */
export const fewestPasses = (memoryKib: number): number | undefined => equivalents.find(least => memoryKib >= least.memoryKib)?.timeCost

export interface CalibrationOptions {
  /** Makes one hash. */
  hash: (parameters: HashParameters) => Promise<unknown>
  /** What one hash may take, in milliseconds. */
  targetMs: number
  /** The memory of a hash, where it is given; then the passes are found, otherwise the memory. */
  memoryKib?: number
  /** More memory than this is not tried. */
  maxMemoryKib: number
}

export interface Measurement extends HashParameters { milliseconds: number }

export interface Calibration {
  measured: Measurement[]
  /** The strongest that stays within the target, and the weakest that is strong enough where none does. */
  recommended: Measurement
  withinTarget: boolean
}

const samples = 5

async function measure (parameters: HashParameters, hash: CalibrationOptions['hash']): Promise<Measurement> {
  const times: number[] = []
  // The first one warms up.
  for (let sample = 0; sample <= samples; sample++) {
    const began = performance.now()
    await hash(parameters)
    if (sample > 0) times.push(performance.now() - began)
  }
  const median = times.sort((a, b) => a - b)[Math.floor(samples / 2)] ?? 0
  return { ...parameters, milliseconds: Math.round(median * 10) / 10 }
}

/** Parameters that are strong enough, weakest first. More memory comes before more passes: it is what attackers lack. */
function * candidates (memoryKib: number | undefined, maxMemoryKib: number): Generator<HashParameters> {
  const { parallelism } = owaspParameters
  if (memoryKib !== undefined) {
    for (let timeCost = fewestPasses(memoryKib) ?? 1; timeCost <= parameterBounds.timeCost.maximum; timeCost++) yield { memoryKib, timeCost, parallelism }
    return
  }
  yield owaspParameters
  for (let step = 1; ; step *= 2) {
    for (const factor of [1.5, 2]) {
      const more = Math.round(owaspParameters.memoryKib * step * factor)
      if (more > maxMemoryKib) return
      yield { ...owaspParameters, memoryKib: more }
    }
  }
}

/** Measures argon2id on this machine, one hash at a time, and finds the strongest parameters that stay within a target. */
export async function calibrate ({ hash, targetMs, memoryKib, maxMemoryKib }: CalibrationOptions): Promise<Calibration> {
  const measured: Measurement[] = []
  let recommended: Measurement | undefined
  for (const parameters of candidates(memoryKib, maxMemoryKib)) {
    const measurement = await measure(parameters, hash)
    measured.push(measurement)
    if (recommended !== undefined && measurement.milliseconds > targetMs) break
    recommended = measurement
    if (measurement.milliseconds > targetMs) break
  }
  if (recommended === undefined) throw new RangeError('there is nothing to measure')
  return { measured, recommended, withinTarget: recommended.milliseconds <= targetMs }
}
