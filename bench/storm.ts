import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { runLoad, type Load } from './load.ts'
import { prepare, preparePeople, readingProfiles, signingIn } from './population.ts'
import { rowOf, type Section } from './report.ts'
import { interleave } from './rounds.ts'
import type { Side } from './side.ts'
import { percentile } from './statistics.ts'

/** The 99th percentile of GET /users/me in milliseconds, in peace and while many people sign in. */
interface Storm { quietMs: number, stormMs: number }

/** As many logins at once as the service lets wait by default: it is busy, but refuses nobody. */
const stormConnections = 64
const probesPerSecond = 100
/** Milliseconds until the queue of logins is full. */
const gatheringMs = 500
const probingSessions = 20

/** Sends requests at a steady pace, however slow the answers are, so that a stall is seen by everyone who meets it. */
async function probe (side: Side, { next }: Load, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const begin = performance.now()
  const latencies: Array<Promise<number>> = []
  while (latencies.length < seconds * probesPerSecond) {
    await delay(Math.max(0, begin + latencies.length * 1000 / probesPerSecond - performance.now()))
    const { path, headers } = next()
    latencies.push(timeOf(new URL(path, side.server.url), headers, agent))
  }
  const all = await Promise.all(latencies)
  agent.destroy()
  return percentile(all, 0.99)
}

const timeOf = async (url: URL, headers: Record<string, string>, agent: Agent): Promise<number> => await new Promise((resolve, reject) => {
  const begin = performance.now()
  request(url, { headers, agent }, response => {
    response.resume().on('end', () => {
      if (response.statusCode === 200) resolve(performance.now() - begin)
      else reject(new Error(`GET /users/me answered ${response.statusCode} in a login storm`))
    })
  }).on('error', reject).end()
})

/** Measures one side: first in peace, then in a storm of logins that lasts a little longer than the probe. */
async function measureStorm (side: Side, seconds: number): Promise<Storm> {
  await prepare(side, signingIn(side), probingSessions)
  const profiles = readingProfiles(side.sessions.slice(-probingSessions))
  const quietMs = await probe(side, profiles, seconds)
  const storm = runLoad(side, { ...signingIn(side), tolerated: [503] }, { connections: stormConnections, seconds: seconds + 2 * gatheringMs / 1000 })
  await delay(gatheringMs)
  const [stormMs] = await Promise.all([probe(side, profiles, seconds), storm])
  return { quietMs, stormMs }
}

/** Measures how long others wait for their profiles while many people sign in. */
export async function measureStorms ({ programs, options, note, start }: Bench): Promise<Section[]> {
  note('GET /users/me in a login storm')
  const sides = [await start('service', programs.service), await start('yardstick', programs.yardstick)]
  for (const side of sides) await preparePeople(side)
  const [ours = [], theirs = []] = await interleave(sides, options.rounds, async (side, counted) => await measureStorm(side, counted ? options.seconds : 1))
  for (const side of sides) await side.server.stop()
  return [{
    title: 'GET /users/me in a login storm',
    against: ['service', 'yardstick'],
    rows: [
      rowOf('p99 in peace', 'ms', '', ours.map(storm => storm.quietMs), theirs.map(storm => storm.quietMs)),
      rowOf('p99 in a login storm', 'ms', '', ours.map(storm => storm.stormMs), theirs.map(storm => storm.stormMs)),
      rowOf('p99 in a storm / in peace', 'times', 'service <= 1.2', ours.map(storm => storm.stormMs / storm.quietMs), theirs.map(storm => storm.stormMs / storm.quietMs))
    ]
  }]
}
