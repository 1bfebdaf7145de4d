import type { Revocation } from '../db/revocations.ts'

/** What a token says that decides whether it was revoked. */
export interface TokenSubject { sid: string, sub: string, ver: number }

/** `unknown` where more was revoked than the set may hold, so that only the database can tell. */
export type TokenStanding = 'live' | 'ended' | 'stale' | 'unknown'

/**
 * What was revoked and is about tokens that have not expired, in memory. It only ever grows together: what is added in
 * whatever order, however often, comes to the same.
 */
export interface RevocationSet {
  add(revocations: readonly Revocation[]): void
  judge(subject: TokenSubject): TokenStanding
  /** Forgets what is about expired tokens only; `now` in milliseconds since the epoch, by the database's clock. */
  prune(now: number): void
  /** Everything is about to be added once more. */
  beginReading(): Reading
  readonly size: number
  /** More was revoked than it may hold, so that it knows only a part. */
  readonly isFull: boolean
  /** Rises whenever the content changes. */
  readonly revision: number
  sessions(): IterableIterator<string>
  users(): IterableIterator<[string, number]>
}

/** One full reading of what was revoked. */
export interface Reading {
  /** Something did not fit since it began, so that reading on is of no use. */
  readonly isOverfull: boolean
  /** All was added, or as much as fits. */
  end(): void
}

interface UserEntry { authzVersion: number, expiresAt: number }

/** @param maxEntries how many sessions and users it may hold, together. */
export function createRevocationSet (maxEntries: number): RevocationSet {
  /** When each ended session's last token has expired. */
  const sessions = new Map<string, number>()
  const users = new Map<string, UserEntry>()
  let full = false
  let missed = false
  let revision = 0
  const size = (): number => sessions.size + users.size

  function addOne (revocation: Revocation): void {
    const { subjectId } = revocation
    const expiresAt = revocation.expiresAt.getTime()
    const held = revocation.kind === 'session' ? sessions.has(subjectId) : users.has(subjectId)
    if (!held && size() >= maxEntries) {
      full = missed = true
      return
    }
    if (revocation.kind === 'session') {
      sessions.set(subjectId, Math.max(expiresAt, sessions.get(subjectId) ?? 0))
      if (!held) revision++
      return
    }
    const before = users.get(subjectId) ?? { authzVersion: 0, expiresAt: 0 }
    users.set(subjectId, { authzVersion: Math.max(before.authzVersion, revocation.authzVersion), expiresAt: Math.max(before.expiresAt, expiresAt) })
    if (revocation.authzVersion > before.authzVersion) revision++
  }

  return {
    add: revocations => { revocations.forEach(addOne) },
    judge ({ sid, sub, ver }) {
      if (sessions.has(sid)) return 'ended'
      if (ver < (users.get(sub)?.authzVersion ?? 0)) return 'stale'
      return full ? 'unknown' : 'live'
    },
    prune (now) {
      const before = size()
      for (const [id, expiresAt] of sessions) if (expiresAt <= now) sessions.delete(id)
      for (const [id, { expiresAt }] of users) if (expiresAt <= now) users.delete(id)
      if (size() < before) revision++
    },
    beginReading () {
      missed = false
      return {
        get isOverfull () { return missed },
        end () { full = missed }
      }
    },
    get size () { return size() },
    get isFull () { return full },
    get revision () { return revision },
    sessions: () => sessions.keys(),
    * users () { for (const [id, { authzVersion }] of users) yield [id, authzVersion] }
  }
}
