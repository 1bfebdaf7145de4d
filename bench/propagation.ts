import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { prepare, preparePeople, signingIn } from './population.ts'
import { distributionOf, type Section } from './report.ts'
import type { Side } from './side.ts'
import { percentile } from './statistics.ts'

/** What one logout came to, in milliseconds from the moment at which its request was sent. */
interface Propagation {
  /** When the 204 was here. */
  answered: number
  /** When the first 401 of the other process was here. */
  refused: number
  /** How long each look at the other process took: nothing shorter can be told apart. */
  looks: number[]
}

/** Logouts before those that count. */
const warmUps = 20
/** Milliseconds between two logouts. */
const pauseMs = 10
const patienceMs = 10_000

/** A client with one connection that stays open. */
function createClient (side: Side) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    /** Sends a request; answers its status and the moment at which that was here. */
    send: async (method: 'GET' | 'POST', path: string, accessToken: string): Promise<{ status: number | undefined, at: number }> =>
      await new Promise((resolve, reject) => {
        request(new URL(`/api/v1${path}`, side.server.url), { method, agent, headers: { authorization: `Bearer ${accessToken}` } }, response => {
          const at = performance.now()
          response.resume().on('end', () => resolve({ status: response.statusCode, at }))
        }).on('error', reject).end()
      }),
    close: () => { agent.destroy() }
  }
}
type Client = ReturnType<typeof createClient>

async function propagate (leaving: Client, other: Client, accessToken: string): Promise<Propagation> {
  const before = await other.send('GET', '/users/me', accessToken)
  if (before.status !== 200) throw new Error(`a live token was answered ${before.status}`)
  const sentAt = performance.now()
  const answer = leaving.send('POST', '/auth/logout', accessToken)
  const looks: number[] = []
  for (let from = sentAt; from - sentAt < patienceMs; from = performance.now()) {
    const { status, at } = await other.send('GET', '/users/me', accessToken)
    looks.push(at - from)
    if (status === 200) continue
    const { status: left, at: answeredAt } = await answer
    if (left !== 204 || status !== 401) throw new Error(`the logout was answered ${left}, its token then ${status}`)
    return { answered: answeredAt - sentAt, refused: at - sentAt, looks }
  }
  throw new Error(`a logout did not reach the other process in ${patienceMs} ms`)
}

/** Measures how soon a logout at one process is known to another one on the same database. */
export async function measurePropagation ({ programs, options, note, start }: Bench): Promise<Section[]> {
  note('propagation of a logout between two processes')
  const [a, b] = [await start('service', programs.service), await start('second process', programs.service)]
  await preparePeople(a)
  await prepare(a, signingIn(a), warmUps + options.logouts)
  const [leaving, other] = [createClient(a), createClient(b)]
  const all: Propagation[] = []
  for (const { accessToken } of a.sessions) {
    all.push(await propagate(leaving, other, accessToken))
    await delay(pauseMs)
  }
  for (const client of [leaving, other]) client.close()
  for (const side of [a, b]) await side.server.stop()

  const counted = all.slice(warmUps)
  const looks = counted.flatMap(({ looks }) => looks)
  const ahead = counted.filter(({ answered, refused }) => refused <= answered).length
  return [{
    title: 'Propagation of a logout: POST /auth/logout at one process, GET /users/me at another',
    distributions: [
      distributionOf('from the 204 until the 401', counted.map(({ answered, refused }) => Math.max(0, refused - answered))),
      distributionOf('from sending the logout until the 401', counted.map(({ refused }) => refused)),
      distributionOf('for comparison: from sending the logout until its 204', counted.map(({ answered }) => answered)),
      distributionOf('resolution: one look at the other process', looks)
    ],
    remark: `In ${ahead} of ${counted.length} logouts the other process refused before the 204 was here; they count as 0. Resolution ${percentile(looks, 0.5).toFixed(2)} ms.`
  }]
}
