import { Counter, Gauge, type Registry } from 'prom-client'

/** A metric whose values exist elsewhere, and are read when somebody scrapes. */
export interface ReadMetric<Label extends string> {
  name: string
  help: string
  /** Few, and of few values each: every combination is a time series of its own. */
  labelNames?: Label[]
  read: () => Iterable<Sample<Label>>
}

/** A value and the labels that tell it from the others of its metric. */
export interface Sample<Label extends string> { value: number, labels?: Record<Label, string> }

/** Adds what must be asked for: the scrape waits, and has no value where there is no answer. */
export function addAskedGauge<Label extends string> (registry: Registry, { ask, ...metric }: Omit<ReadMetric<Label>, 'read'> & { ask: () => Promise<Iterable<Sample<Label>>> }): void {
  registry.registerMetric(new Gauge<string>({
    ...metric,
    registers: [],
    async collect () {
      const samples = await ask().catch(() => [])
      this.reset()
      for (const { labels = {}, value } of samples) this.set(labels, value)
    }
  }))
}

/** Adds what can rise and fall. NaN is for a value that is not known. */
export function addGauge<Label extends string> (registry: Registry, { read, ...metric }: ReadMetric<Label>): void {
  registry.registerMetric(new Gauge<string>({
    ...metric,
    registers: [],
    collect () {
      this.reset()
      for (const { labels = {}, value } of read()) this.set(labels, value)
    }
  }))
}

/** Adds what only rises until the process ends. */
export function addCounter<Label extends string> (registry: Registry, { read, ...metric }: ReadMetric<Label>): void {
  registry.registerMetric(new Counter<string>({
    ...metric,
    registers: [],
    collect () {
      this.reset()
      for (const { labels = {}, value } of read()) this.inc(labels, value)
    }
  }))
}
