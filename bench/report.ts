import { availableParallelism, cpus } from 'node:os'
import { ratios, spreadOf, type Spread } from './statistics.ts'

/** One line of the result: what both sides came to, and their quotients round by round. */
export interface Row {
  measure: string
  unit: string
  service: Spread
  yardstick: Spread
  ratio: Spread
  /** What docs or plans ask for, in words; never enforced here. */
  target: string
}

/** Where and how the figures were made. */
export interface Circumstances { date: string, node: string, platform: string, cores: number, cpu: string, engine: string, rounds: number, seconds: number, connections: number }

export function circumstances (run: Pick<Circumstances, 'engine' | 'rounds' | 'seconds' | 'connections'>): Circumstances {
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    ...run
  }
}

/** A row of two series that were measured in the same rounds. */
export function rowOf (measure: string, unit: string, target: string, service: readonly number[], yardstick: readonly number[]): Row {
  return { measure, unit, target, service: spreadOf(service), yardstick: spreadOf(yardstick), ratio: spreadOf(ratios(service, yardstick)) }
}

const round = (value: number): string => Number.isNaN(value) ? '-' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
const show = ({ min, median, max }: Spread): string => `${round(median)} (${round(min)}..${round(max)})`

/** The rows as a Markdown table: median (smallest..largest) over the rounds. */
export function toTable (rows: readonly Row[]): string {
  const lines = [
    ['measure', 'service', 'yardstick', 'ratio', 'target'],
    ...rows.map(row => [`${row.measure}, ${row.unit}`, show(row.service), show(row.yardstick), show(row.ratio), row.target])
  ]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? []
  const text = lines.map(line => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`)
  text.splice(1, 0, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|\n`)
  return text.join('')
}
