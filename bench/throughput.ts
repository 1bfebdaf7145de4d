import type { Bench } from './bench.ts'
import { runLoad, type Load } from './load.ts'
import { prepare, preparePeople, readingProfiles, refreshing, registering, signingIn } from './population.ts'
import { rowOf, type Row, type Section } from './report.ts'
import { interleave } from './rounds.ts'
import type { Side } from './side.ts'

interface Scenario {
  measure: string
  target: string
  /** Runs once per side before the rounds. Answers why the scenario makes no sense, if it does not. */
  before?: (side: Side) => Promise<string | undefined>
  load: (side: Side) => Load
}

/** Sessions at least that are refreshed and read with. */
const leastSessions = 50

const register: Scenario = { measure: 'POST /auth/register', target: '', load: registering }

const login: Scenario = {
  measure: 'POST /auth/login',
  target: 'ratio >= 0.95',
  async before (side) {
    await preparePeople(side)
    return undefined
  },
  load: signingIn
}

const refresh: Scenario = {
  measure: 'POST /auth/refresh',
  target: 'ratio >= 0.9',
  async before (side) {
    await prepare(side, signingIn(side), leastSessions - side.sessions.length)
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

async function measure (scenario: Scenario, sides: readonly [Side, Side], { options, note }: Bench): Promise<Row[]> {
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

/** Measures the operations against the yardstick, and the login against that on the slower hash engine, if there is one. */
export async function measureThroughput (bench: Bench): Promise<Section[]> {
  const { programs } = bench
  const [service, yardstick] = [await bench.start('service', programs.service), await bench.start('yardstick', programs.yardstick)]
  const rows: Row[] = []
  for (const scenario of [register, login]) rows.push(...await measure(scenario, [service, yardstick], bench))
  if (programs.reference !== undefined) {
    const reference = await bench.start('reference', programs.reference)
    const against = { ...login, measure: `${login.measure} (yardstick on the reference engine)`, target: 'ratio >= 2.0' }
    rows.push(...await measure(against, [service, reference], bench))
    await reference.server.stop()
  }
  for (const scenario of [refresh, me]) rows.push(...await measure(scenario, [service, yardstick], bench))
  for (const side of [service, yardstick]) await side.server.stop()
  return [{ title: 'Operations', against: ['service', 'yardstick'], rows }]
}
