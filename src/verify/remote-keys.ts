import { setTimeout as delay } from 'node:timers/promises'
import { CodedError } from '../errors.ts'
import type { AccessTokenVerifier } from '../keys/access-tokens.ts'
import type { Fetcher } from './fetcher.ts'
import { readJwkSet } from './jwk-set.ts'
import { unknownKey, type CreateVerifier, type KeySource } from './key-source.ts'
import { createOutageLog, retryDelay, type Log } from './outage-log.ts'

export interface RemoteKeysOptions {
  fetcher: Fetcher
  createVerifier: CreateVerifier
  maxAgeSeconds: number
  cooldownMs: number
  maxStalenessSeconds: number
  log: Log
}

interface KnownKeys { fingerprint: string, count: number, verify: AccessTokenVerifier, etag: string | undefined }

/**
 * Follows the keys that an issuer publishes. They are read in the background, at the start and at their maximum age; a
 * token of an unknown key has them read again, at most once in a cooldown. What cannot be read leaves the keys as they
 * are: known tokens go on, and of unknown keys it cannot be known whether they exist, which is 503 and never 401.
 */
export function startRemoteKeys ({ fetcher, createVerifier, log, cooldownMs, ...options }: RemoteKeysOptions): KeySource {
  const closing = new AbortController()
  const outage = createOutageLog(log, 'the JWK set of the issuer')
  let known: KnownKeys = { fingerprint: '[]', count: 0, verify: createVerifier([]), etag: undefined }
  /** Monotonic milliseconds at which the last reading that succeeded began; undefined before it. */
  let freshAt: number | undefined
  /** Monotonic milliseconds from which the cooldown counts. */
  let triedAt = -Infinity
  let failures = 0
  let underWay: Promise<boolean> | undefined

  function take (body: unknown, etag: string | undefined): void {
    const keys = readJwkSet(body)
    const fingerprint = JSON.stringify(keys)
    // The verifier remembers tokens, so the same keys keep the same verifier.
    known = fingerprint === known.fingerprint ? { ...known, etag } : { fingerprint, count: keys.length, verify: createVerifier(keys), etag }
  }

  async function read (): Promise<boolean> {
    const startedAt = performance.now()
    try {
      const answer = await fetcher.get(known.etag)
      if (answer.changed) take(answer.body, answer.etag)
      freshAt = startedAt
      // What was read is of then, however long it took to arrive.
      triedAt = startedAt
      failures = 0
      outage.succeeded()
    } catch (error) {
      failures++
      triedAt = performance.now()
      if (!closing.signal.aborted) outage.failed(error)
    }
    return failures === 0
  }

  async function refresh (): Promise<boolean> {
    underWay ??= read().finally(() => { underWay = undefined })
    return await underWay
  }

  /** Answers whether the keys are as the issuer had them within the last cooldown. */
  async function renew (): Promise<boolean> {
    if (underWay === undefined && performance.now() - triedAt < cooldownMs) return failures === 0
    return await refresh()
  }

  const ageMs = (): number => freshAt === undefined ? Infinity : performance.now() - freshAt
  const isUsable = (): boolean => ageMs() <= options.maxStalenessSeconds * 1000
  const unavailable = (): CodedError => new CodedError('SERVICE_UNAVAILABLE', 'The keys of the issuer cannot be read at this moment; try again.', {
    retryAfterSeconds: Math.max(1, (triedAt + cooldownMs - performance.now()) / 1000)
  })

  function waitMs (): number {
    if (failures === 0) return options.maxAgeSeconds * 1000 - ageMs()
    return triedAt + (freshAt === undefined ? retryDelay(failures, cooldownMs) : cooldownMs) - performance.now()
  }

  async function run (): Promise<void> {
    await refresh()
    while (!closing.signal.aborted) {
      const ms = waitMs()
      if (ms <= 0) await refresh()
      else await delay(ms, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  }

  const running = run()
  return {
    async verify (token) {
      const claims = known.verify(token)
      if (claims !== undefined && isUsable()) return claims
      const current = await renew()
      if (!isUsable()) throw unavailable()
      const renewed = known.verify(token)
      if (renewed !== undefined) return renewed
      throw current ? unknownKey() : unavailable()
    },
    state: () => ({ loaded: freshAt !== undefined, keys: known.count, stalenessSeconds: freshAt === undefined ? null : ageMs() / 1000 }),
    async close () {
      closing.abort()
      fetcher.close()
      await running
    }
  }
}
