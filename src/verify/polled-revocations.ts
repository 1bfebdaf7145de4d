import { setTimeout as delay } from 'node:timers/promises'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { CodedError } from '../errors.ts'
import { UnusableAnswerError } from '../read-text.ts'
import { RevocationListSchema, type RevocationList } from '../schemas/revocation-list.ts'
import type { JudgeToken } from '../sessions/authenticate.ts'
import { createDigestList } from './digest-list.ts'
import type { Fetcher } from './fetcher.ts'
import { createOutageLog, retryDelay, type Log } from './outage-log.ts'

/** How the revocations stand. `stalenessSeconds` is null before the first load. */
export interface RevocationSourceState { loaded: boolean, entries: number, stalenessSeconds: number | null }

/** Where a verifier learns what was revoked. */
export interface RevocationSource {
  judge: JudgeToken
  state(): RevocationSourceState
  close(): Promise<void>
}

export interface PolledRevocationsOptions {
  fetcher: Fetcher
  /** Whose list it has to be. */
  issuer: string
  intervalMs: number
  maxStalenessSeconds: number
  log: Log
}

const listCheck = TypeCompiler.Compile(RevocationListSchema)

/** Throws UnusableAnswerError for what is no list of the issuer: a list of another one says nothing about its tokens. */
function readList (body: unknown, issuer: string): RevocationList {
  if (!listCheck.Check(body)) throw new UnusableAnswerError('the answer is no revocation list')
  if (body.iss !== issuer) throw new UnusableAnswerError('the answer is the revocation list of another issuer')
  return body
}

/** Reads the revocations of an issuer at an interval, by conditional requests. While they are too old, nothing is judged. */
export function pollRevocations ({ fetcher, issuer, intervalMs, maxStalenessSeconds, log }: PolledRevocationsOptions): RevocationSource {
  const closing = new AbortController()
  const list = createDigestList()
  const outage = createOutageLog(log, 'the revocation list of the issuer')
  let etag: string | undefined
  /** Monotonic milliseconds up to which everything that was revoked is known; undefined before the first load. */
  let freshAt: number | undefined
  let failures = 0

  async function read (): Promise<void> {
    const startedAt = performance.now()
    try {
      const answer = await fetcher.get(etag)
      const times = { knownUntil: startedAt - answer.ageSeconds * 1000, receivedAt: performance.now() }
      if (answer.changed) list.replace(readList(answer.body, issuer), times)
      else list.confirm(times)
      if (answer.changed) etag = answer.etag
      freshAt = Math.max(freshAt ?? -Infinity, times.knownUntil)
      failures = 0
      outage.succeeded()
    } catch (error) {
      failures++
      if (!closing.signal.aborted) outage.failed(error)
    }
  }

  const stalenessSeconds = (): number | null => freshAt === undefined ? null : (performance.now() - freshAt) / 1000
  function requireFresh (): void {
    const staleness = stalenessSeconds()
    if (staleness !== null && staleness <= maxStalenessSeconds) return
    throw new CodedError('SERVICE_UNAVAILABLE', 'Whether the token was revoked cannot be known at this moment; try again.', { retryAfterSeconds: intervalMs / 1000 })
  }

  const firstReading = read()
  async function run (): Promise<void> {
    await firstReading
    while (!closing.signal.aborted) {
      const ms = freshAt === undefined ? retryDelay(failures, intervalMs) : intervalMs
      await delay(ms, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      if (!closing.signal.aborted) await read()
    }
  }

  const running = run()
  return {
    async judge (subject) {
      if (freshAt === undefined) await firstReading
      requireFresh()
      return list.judge(subject)
    },
    state: () => ({ loaded: freshAt !== undefined, entries: list.size, stalenessSeconds: stalenessSeconds() }),
    async close () {
      closing.abort()
      fetcher.close()
      await running
    }
  }
}
