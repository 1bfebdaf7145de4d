import { runLoad, type Load } from './load.ts'
import type { BenchOptions } from './options.ts'
import { prepare, readingProfiles, refreshing, registering, signingIn } from './population.ts'
import { rowOf, type Row } from './report.ts'
import { interleave } from './rounds.ts'
import type { Side } from './side.ts'

interface Scenario {
  measure: string
  target: string
  /** Runs once per side before the rounds. Answers why the scenario makes no sense, if it does not. */
  before?: (side: Side) => Promise<string | undefined>
  load: (side: Side) => Load
}

/** People at least, so that nobody signs in twice at a time, and sessions at least that are refreshed and read with. */
const leastPeople = 100
const leastSessions = 50

const register: Scenario = { measure: 'POST /auth/register', target: '', load: registering }

const login: Scenario = {
  measure: 'POST /auth/login',
  target: 'ratio >= 0.95',
  async before (side) {
    await prepare(side, registering(side), Math.max(0, leastPeople - side.emails.length))
    return undefined
  },
  load: signingIn
}

const refresh: Scenario = {
  measure: 'POST /auth/refresh',
  target: 'ratio >= 0.9',
  async before (side) {
    await prepare(side, signingIn(side), Math.max(0, leastSessions - side.sessions.length))
    return side.sessions.at(-1)?.refreshToken === undefined ? `the ${side.name} gives no refresh tokens` : undefined
  },
  load: refreshing
}

const me: Scenario = {
  measure: 'GET /users/me',
  target: 'ratio >= 2.0 (uncached >= 0.9)',
  async before (side) {
    await prepare(side, signingIn(side), leastSessions)
    return undefined
  },
  load: side => readingProfiles(side.sessions.slice(-leastSessions))
}

async function measure (scenario: Scenario, sides: readonly [Side, Side], options: BenchOptions, note: (text: string) => void): Promise<Row[]> {
  for (const side of sides) {
    const reason = await scenario.before?.(side)
    if (reason !== undefined) {
      note(`${scenario.measure}: skipped, ${reason}`)
      return []
    }
  }
  note(scenario.measure)
  const [service = [], yardstick = []] = await interleave(sides, options.rounds, async (side, counted) =>
    await runLoad(side, scenario.load(side), { connections: options.connections, seconds: counted ? options.seconds : 1 }))
  return [
    rowOf(scenario.measure, 'answers/s', scenario.target, service.map(turn => turn.perSecond), yardstick.map(turn => turn.perSecond)),
    rowOf(scenario.measure, 'CPU ms/answer', '', service.map(turn => turn.cpuMsPerAnswer), yardstick.map(turn => turn.cpuMsPerAnswer))
  ]
}

/** Measures the operations against the yardstick; `reference` is the yardstick on the slower hash engine, if there is one. */
export async function measureThroughput (service: Side, yardstick: Side, reference: Side | undefined, options: BenchOptions, note: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = []
  for (const scenario of [register, login]) rows.push(...await measure(scenario, [service, yardstick], options, note))
  if (reference !== undefined) {
    const against = { ...login, measure: `${login.measure} (yardstick on the reference engine)`, target: 'ratio >= 2.0' }
    rows.push(...await measure(against, [service, reference], options, note))
  }
  for (const scenario of [refresh, me]) rows.push(...await measure(scenario, [service, yardstick], options, note))
  return rows
}
