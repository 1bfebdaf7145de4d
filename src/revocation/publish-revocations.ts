import { createHash } from 'node:crypto'
import { CodedError } from '../errors.ts'
import type { RevocationList } from '../schemas/revocation-list.ts'
import { sessionDigest, userDigest } from './digests.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import type { RevocationSet } from './revocation-set.ts'

/** A revocation list in JSON with a strong validator for it (RFC 9110, 8.8.3). */
export interface PublishedRevocations {
  body: Buffer
  etag: string
  /** Seconds: what was revoked before that is in it (RFC 9111, 5.1). */
  ageSeconds: number
}

/** Answers the list. Throws CodedError SERVICE_UNAVAILABLE while the feed cannot tell what was revoked, or not all of it. */
export type PublishRevocations = () => PublishedRevocations

interface Written { revision: number, body: Buffer, etag: string, knownUntil: number, nextAt: number }

/** One part in so many of the time goes into writing, at most, however often sessions end and whoever asks. */
const dutyCycle = 10

/** In one order, so that instances that know the same answer the same. */
const byText = (a: string, b: string): number => a < b ? -1 : Number(a > b)

function listOf (set: RevocationSet): RevocationList {
  return {
    sessions: Array.from(set.sessions(), sessionDigest).sort(),
    users: Array.from(set.users(), ([userId, version]) => ({ digest: userDigest(userId), version })).sort((a, b) => byText(a.digest, b.digest))
  }
}

/** Writes the list anew when the set has changed, and not for each request. */
export function createPublishRevocations (feed: Pick<RevocationFeed, 'check' | 'set'>): PublishRevocations {
  let written: Written | undefined

  function write (knownUntil: number): Written {
    const start = performance.now()
    const { revision } = feed.set
    const body = Buffer.from(JSON.stringify(listOf(feed.set)))
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
    const end = performance.now()
    return { revision, body, etag, knownUntil, nextAt: end + (end - start) * (dutyCycle - 1) }
  }

  return () => {
    const { stalenessSeconds, full } = feed.check()
    if (full) throw new CodedError('SERVICE_UNAVAILABLE', 'More was revoked than this instance holds; try again.', { retryAfterSeconds: 1 })
    const now = performance.now()
    const knownUntil = now - (stalenessSeconds ?? 0) * 1000
    if (written === undefined || (written.revision !== feed.set.revision && now >= written.nextAt)) written = write(knownUntil)
    else if (written.revision === feed.set.revision) written.knownUntil = knownUntil
    return { body: written.body, etag: written.etag, ageSeconds: Math.ceil((now - written.knownUntil) / 1000) }
  }
}
