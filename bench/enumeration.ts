import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import type { Bench } from './bench.ts'
import { createSender, type Sender } from './sender.ts'
import { rowOf, type Row, type Section } from './report.ts'

const password = 'the engine weaves algebra'
/** Milliseconds between two tries, in which the service sends the mail that the one before ordered. */
const pauseMs = 30
/** Tries of each kind before those that count. */
const warmUps = 10

/** Two kinds of people about whom a request must not tell which of them it met; each try is about a person of its own. */
interface Comparison {
  measure: string
  path: string
  status: number
  known: (n: number) => object
  unknown: (n: number) => object
}

const address = (kind: string, n: number): string => `${kind}-${n}@example.com`
const registration = (kind: string) => (n: number): object => ({ email: address(kind, n), password })
const wrongLogin = (kind: string) => (n: number): object => ({ email: address(kind, n), password: 'not the password' })
const addressOnly = (kind: string) => (n: number): object => ({ email: address(kind, n) })

/** As many of both, in an order of chance: what one try leaves behind must not always meet the same kind. */
function shuffled (tries: number): Array<'known' | 'unknown'> {
  const kinds = Array.from({ length: 2 * tries }, (_, n) => ({ kind: n % 2 === 0 ? 'known' as const : 'unknown' as const, place: Math.random() }))
  return kinds.sort((a, b) => a.place - b.place).map(({ kind }) => kind)
}

/** One request after another. */
async function compare (send: Sender, { measure, path, status, ...payloads }: Comparison, tries: number): Promise<Row> {
  const times = { known: new Array<number>(), unknown: new Array<number>() }
  for (const kind of [...shuffled(warmUps), ...shuffled(tries)]) {
    await delay(pauseMs)
    const answer = await send(path, payloads[kind](times[kind].length))
    if (answer.status !== status) throw new Error(`${measure}, ${kind}: ${path} answered ${answer.status}`)
    times[kind].push(answer.milliseconds)
  }
  return rowOf(measure, 'ms', 'medians within 5 %', times.known.slice(warmUps), times.unknown.slice(warmUps))
}

async function registerPeople (send: Sender, kind: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await send('/auth/register', registration(kind)(n))
}

/** Measures whether the time of an answer tells who is registered. */
export async function measureEnumeration ({ database, programs, options, note, start }: Bench): Promise<Section[]> {
  note('answers about known and unknown people')
  const people = warmUps + options.tries
  const settings = { LOGIN_ADDRESS_MAX_FAILURES: '1000000', MAIL_COOLDOWN_SECONDS: '0', MAIL_DIR: join(programs.folder, 'mail') }
  const rows: Row[] = []
  for (const privacy of ['public', 'private']) {
    const name = `enumeration_${privacy}`
    const program = { ...programs.service, env: { ...programs.service.env, ...settings, ...await database.environment(name), REGISTRATION_PRIVACY: privacy } }
    const side = await start(`service, ${privacy} registration`, program)
    const sql = postgres({ ...await database.location(name), max: 1, onnotice: () => {} })
    const { send, close } = createSender(side)
    for (const kind of ['verified', 'waiting', 'claimed']) await registerPeople(send, kind, people)
    await sql`update users set email_verified_at = now() where email_canonical like 'verified-%'`
    await sql`analyze`
    const comparisons: Comparison[] = [
      { measure: `${privacy}: login, wrong password`, path: '/auth/login', status: 401, known: wrongLogin('verified'), unknown: wrongLogin(`nobody-${privacy}`) },
      { measure: `${privacy}: resend, address to be confirmed`, path: '/auth/email/resend', status: 202, known: addressOnly('waiting'), unknown: addressOnly('nobody-resend') },
      { measure: `${privacy}: resend, confirmed address`, path: '/auth/email/resend', status: 202, known: addressOnly('verified'), unknown: addressOnly('nobody-else') },
      { measure: `${privacy}: forgot`, path: '/auth/password/forgot', status: 202, known: addressOnly('verified'), unknown: addressOnly('nobody-forgot') }
    ]
    if (privacy === 'private') {
      comparisons.push(
        { measure: 'private: register, confirmed address', path: '/auth/register', status: 202, known: registration('verified'), unknown: registration('new') },
        { measure: 'private: register, address to be confirmed', path: '/auth/register', status: 202, known: registration('claimed'), unknown: registration('newer') },
        { measure: 'private: login, right password, address to be confirmed', path: '/auth/login', status: 401, known: registration('waiting'), unknown: registration('nobody-waiting') }
      )
    }
    for (const comparison of comparisons) {
      if ((await send(comparison.path, {})).status === 404) note(`${comparison.path} is not there`)
      else rows.push(await compare(send, comparison, options.tries))
    }
    close()
    await sql.end()
    await side.server.stop()
  }
  return [{ title: 'Answers about known and unknown people', against: ['known', 'unknown'], rows }]
}
