import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What can be measured, in the order in which it is. */
export const partNames = ['starts', 'operations', 'storm', 'propagation', 'refresh', 'verification', 'enumeration', 'passwords', 'import', 'user-search'] as const
export type PartName = typeof partNames[number]

export interface BenchOptions {
  /** What to measure; everything by default. */
  only: readonly PartName[]
  /** Measured turns of each side in each scenario. */
  rounds: number
  /** Length of one turn. */
  seconds: number
  connections: number
  /** Logouts whose propagation is measured. */
  logouts: number
  /** Requests about known and about unknown people that are compared. */
  tries: number
  /** The built command line of the service. */
  service: string
  /** Where the figures go as JSON as well. */
  json: string | undefined
}

export const root = join(import.meta.dirname, '..')

const usage = `npm run bench -- [options]
  --only PARTS     some of ${partNames.join(',')} (all of them)
  --rounds N       measured turns of each side (5)
  --seconds N      length of a turn (3)
  --connections N  connections of a turn (10)
  --logouts N      logouts whose propagation is measured (200)
  --tries N        requests of a kind about known and unknown people (200)
  --service FILE   built command line of the service (dist/src/cli.js)
  --json FILE      write the figures as JSON, too
`

/** Reads the command line; prints how to use it and ends the process where that is what was asked for. */
export function readOptions (args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: partNames.join(',') },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '10' },
      logouts: { type: 'string', default: '200' },
      tries: { type: 'string', default: '200' },
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
    only: parts(values.only),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections),
    logouts: positive('logouts', values.logouts),
    tries: positive('tries', values.tries),
    service,
    json: values.json
  }
}

function parts (text: string): PartName[] {
  const asked = text.split(',')
  const unknown = asked.filter(name => !partNames.some(part => part === name))
  if (unknown.length > 0) throw new Error(`--only knows ${partNames.join(', ')}, and not ${unknown.join(', ')}`)
  return partNames.filter(part => asked.includes(part))
}

function positive (name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number of at least 1`)
  return value
}
