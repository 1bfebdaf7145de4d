import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Measured turns of each side in each scenario. */
  rounds: number
  /** Length of one turn. */
  seconds: number
  connections: number
  /** The built command line of the service. */
  service: string
  /** Where the figures go as JSON as well. */
  json: string | undefined
}

export const root = join(import.meta.dirname, '..')

const usage = `npm run bench -- [options]
  --rounds N       measured turns of each side (5)
  --seconds N      length of a turn (3)
  --connections N  connections of a turn (10)
  --service FILE   built command line of the service (dist/src/cli.js)
  --json FILE      write the figures as JSON, too
`

/** Reads the command line; prints how to use it and ends the process where that is what was asked for. */
export function readOptions (args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '10' },
      service: { type: 'string', default: join(root, 'dist/src/cli.js') },
      json: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(usage)
    process.exit()
  }
  const service = resolve(values.service)
  if (!existsSync(service)) throw new Error(`${service} is missing: run "npm run build" first`)
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections),
    service,
    json: values.json
  }
}

function positive (name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number of at least 1`)
  return value
}
