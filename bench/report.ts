import { availableParallelism, cpus } from 'node:os'
import { percentile, ratios, spreadOf, type Spread } from './statistics.ts'

/** One line of a comparison: what both sides came to, and their quotients round by round. */
export interface Row {
  measure: string
  unit: string
  ours: Spread
  theirs: Spread
  ratio: Spread
  /** What docs or plans ask for, in words; never enforced here. */
  target: string
}

/** One line of many single measurements, in milliseconds. */
export interface Distribution { measure: string, count: number, p50: number, p99: number, max: number }

/** What one part of a run came to. `against` names the two sides of a comparison. */
export type Section =
  | { title: string, against: [string, string], rows: Row[] }
  | { title: string, distributions: Distribution[], remark: string }

/** Where and how the figures were made. */
export interface Circumstances { date: string, node: string, platform: string, cores: number, cpu: string, engine: string, rounds: number, seconds: number, connections: number }

export function circumstances ({ engine, rounds, seconds, connections }: Pick<Circumstances, 'engine' | 'rounds' | 'seconds' | 'connections'>): Circumstances {
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    engine,
    rounds,
    seconds,
    connections
  }
}

/** A row of two series that were measured in the same rounds. */
export function rowOf (measure: string, unit: string, target: string, ours: readonly number[], theirs: readonly number[]): Row {
  return { measure, unit, target, ours: spreadOf(ours), theirs: spreadOf(theirs), ratio: spreadOf(ratios(ours, theirs)) }
}

/** The distribution of measurements in milliseconds. */
export function distributionOf (measure: string, values: readonly number[]): Distribution {
  return { measure, count: values.length, p50: percentile(values, 0.5), p99: percentile(values, 0.99), max: Math.max(...values) }
}

const round = (value: number): string => Number.isNaN(value) ? '-' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 4)
const show = ({ min, median, max }: Spread): string => `${round(median)} (${round(min)}..${round(max)})`

/** A Markdown table, padded so that it reads well as it is. */
function toTable (lines: readonly string[][]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? []
  const text = lines.map(line => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`)
  text.splice(1, 0, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|\n`)
  return text.join('')
}

/** A section with its table: median (smallest..largest) over the rounds, or percentiles. */
export function toText (section: Section): string {
  if ('rows' in section) {
    return `\n${section.title}\n\n${toTable([
      ['measure', ...section.against, 'ratio', 'target'],
      ...section.rows.map(row => [`${row.measure}, ${row.unit}`, show(row.ours), show(row.theirs), show(row.ratio), row.target])
    ])}`
  }
  return `\n${section.title}\n\n${toTable([
    ['measure, ms', 'p50', 'p99', 'max', 'of'],
    ...section.distributions.map(({ measure, count, p50, p99, max }) => [measure, round(p50), round(p99), round(max), String(count)])
  ])}\n${section.remark}\n`
}
