import progress from 'cli-progress'
import { print } from './output.ts'
import type { Output } from './surroundings.ts'

export interface ProgressOptions {
  /** What is being done, such as "importing". */
  title: string
  /** How much there is to do, where that is known. */
  total?: number
  /** Milliseconds between two plain lines. */
  intervalMs?: number
}

/** Tells a person how far a long work is. It writes to stderr only, and never to where the result goes. */
export interface Progress {
  /** So much is done. Cheap enough for every row. */
  update(done: number): void
  /** The work is over, be it done or not. */
  stop(): void
}

const number = (value: number): string => value.toLocaleString('en')

/** A bar (a count where the total is not known) on a terminal, a plain line now and then otherwise; short work says nothing there. */
export function createProgress (output: Output, options: ProgressOptions): Progress {
  return output.isTTY === true ? createBar(output, options) : createLines(output, options)
}

function createBar (stream: Output, { title, total }: ProgressOptions): Progress {
  const bar = new progress.SingleBar({
    stream,
    format: total === undefined ? `${title} {value}` : `${title} [{bar}] {percentage}% {value}/{total} {eta_formatted} left`,
    formatValue: (value, _options, type) => type === 'value' || type === 'total' ? number(value) : String(value),
    // The signals are those of the command.
    gracefulExit: false
  })
  bar.start(total ?? 0, 0)
  return { update: done => { bar.update(done) }, stop: () => { bar.stop() } }
}

function createLines (output: Output, { title, total, intervalMs = 5000 }: ProgressOptions): Progress {
  let told = Date.now()
  let done = 0
  let behind = false
  const tell = (): void => {
    told = Date.now()
    behind = false
    print(output, total === undefined ? `${title}: ${number(done)}` : `${title}: ${number(done)} of ${number(total)} (${Math.floor(100 * done / Math.max(total, 1))} %)`)
  }
  const began = told
  return {
    update (value) {
      done = value
      behind = true
      if (Date.now() - told >= intervalMs) tell()
    },
    stop () {
      if (behind && told !== began) tell()
    }
  }
}
