import type { Exchange, Load } from './load.ts'
import type { Session, Side } from './side.ts'

const password = 'the engine weaves algebra'
const json = { 'content-type': 'application/json' }
let count = 0

const post = (path: string, body: object): Exchange =>
  ({ method: 'POST', path: `/api/v1${path}`, headers: json, body: JSON.stringify(body) })

/** Takes the first and puts it at the end: whoever was used longest ago is next. */
function rotate<T> (items: T[]): T {
  const item = items.shift()
  if (item === undefined) throw new Error('nobody is left to send requests for')
  items.push(item)
  return item
}

/** Registers new people, who are known from then on. */
export const registering = (side: Side): Load => ({
  next: () => post('/auth/register', { email: `person-${++count}@example.com`, password }),
  onAnswer: body => { side.emails.push(JSON.parse(body).email) }
})

/** Signs known people in with their passwords, one after another, each on a device of their own; their sessions are kept. */
export const signingIn = (side: Side): Load => ({
  next () {
    const email = rotate(side.emails)
    return post('/auth/login', { email, password, deviceToken: side.deviceTokens.get(email) })
  },
  onAnswer (body) {
    const { accessToken, refreshToken, deviceToken, user } = JSON.parse(body)
    if (deviceToken !== undefined) side.deviceTokens.set(user.email, deviceToken)
    side.sessions.push({ accessToken, refreshToken })
  }
})

/** A session may be refreshed a few times within the grace, no more: the turn ends before it would come to that. */
const refreshesPerTurn = 2

/** Refreshes the sessions one after another; one whose answer gets lost is not used again. */
export const refreshing = (side: Side): Load => ({
  maxRequests: side.sessions.length * refreshesPerTurn,
  next () {
    const session = side.sessions.shift()
    if (session === undefined) throw new Error('no session is left to be refreshed')
    return post('/auth/refresh', { refreshToken: session.refreshToken })
  },
  onAnswer (body) {
    const { accessToken, refreshToken } = JSON.parse(body)
    side.sessions.push({ accessToken, refreshToken })
  }
})

/** Reads the profiles of these sessions, one after another. */
export const readingProfiles = (sessions: readonly Session[]): Load => {
  const remaining = [...sessions]
  return { next: () => ({ method: 'GET', path: '/api/v1/users/me', headers: { authorization: `Bearer ${rotate(remaining).accessToken}` } }) }
}

/** People at least, so that nobody signs in twice at a time. */
const leastPeople = 100

/** Registers people until there are enough of them. */
export async function preparePeople (side: Side): Promise<void> {
  await prepare(side, registering(side), leastPeople - side.emails.length)
}

/** Does a few of these, one at a time, outside of any measurement. */
export async function prepare (side: Side, { next, onAnswer }: Load, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const exchange = next()
    const { method, headers } = exchange
    const response = await fetch(`${side.server.url}${exchange.path}`, { method, headers, ...exchange.body !== undefined && { body: exchange.body } })
    const body = await response.text()
    if (!response.ok) throw new Error(`${side.name}: ${exchange.path} answered ${response.status}: ${body}`)
    onAnswer?.(body, exchange)
  }
}
