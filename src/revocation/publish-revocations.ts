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

/**
 * Digests of sessions in one order, so that instances that know the same answer the same. Few change from one list to the
 * next, so those of the last one are remembered, sorted as they are.
 */
function createSortedDigests (): (ids: Iterable<string>) => string[] {
  let known = new Map<string, string>()
  let sorted: string[] = []
  return ids => {
    const before = known
    known = new Map(Array.from(ids, id => [id, before.get(id) ?? sessionDigest(id)]))
    const gone = new Set<string>()
    for (const [id, digest] of before) if (!known.has(id)) gone.add(digest)
    for (const [id, digest] of known) if (!before.has(id)) sorted.push(digest)
    sorted = sorted.filter(digest => !gone.has(digest)).sort()
    return sorted
  }
}

const byDigest = (a: { digest: string }, b: { digest: string }): number => a.digest < b.digest ? -1 : 1

function usersOf (set: RevocationSet): RevocationList['users'] {
  return Array.from(set.users(), ([userId, version]) => ({ digest: userDigest(userId), version })).sort(byDigest)
}

/** Writes the list of an issuer anew when the set has changed, and not for each request. */
export function createPublishRevocations (issuer: string, feed: Pick<RevocationFeed, 'check' | 'set'>): PublishRevocations {
  const sessionDigests = createSortedDigests()
  let written: Written | undefined

  function write (knownUntil: number): Written {
    const start = performance.now()
    const { revision } = feed.set
    const list: RevocationList = { iss: issuer, sessions: sessionDigests(feed.set.sessions()), users: usersOf(feed.set) }
    const body = Buffer.from(JSON.stringify(list))
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
