import { sessionDigest, userDigest } from '../revocation/digests.ts'
import type { TokenSubject } from '../revocation/revocation-set.ts'
import type { RevocationList } from '../schemas/revocation-list.ts'

/** When an answer came, and up to when whoever gave it knew everything; monotonic milliseconds. */
export interface AnswerTimes { knownUntil: number, receivedAt: number }

/** What the issuer said was revoked, by digests. */
export interface DigestList {
  replace(list: RevocationList, times: AnswerTimes): void
  /** The issuer says that it is still the list of the last {@link DigestList.replace}. */
  confirm(times: AnswerTimes): void
  judge(subject: TokenSubject): 'live' | 'ended' | 'stale'
  readonly size: number
}

/**
 * Instances of the issuer hear of a revocation one after the other, and each answer may come from another one. So what one
 * of them listed is kept until an answer that knew everything of that moment no longer lists it.
 */
export function createDigestList (): DigestList {
  /** Digests and the version from which tokens of a user are taken: of a session, none is. */
  let listed = new Map<string, number>()
  let listedAt = -Infinity
  const kept = new Map<string, { version: number, listedAt: number }>()

  function keep (digest: string, version: number): void {
    kept.set(digest, { version: Math.max(version, kept.get(digest)?.version ?? 0), listedAt })
  }
  function prune (knownUntil: number): void {
    for (const [digest, { listedAt }] of kept) if (listedAt <= knownUntil) kept.delete(digest)
  }
  const versionOf = (digest: string): number => Math.max(listed.get(digest) ?? 0, kept.get(digest)?.version ?? 0)

  return {
    replace ({ sessions, users }, { knownUntil, receivedAt }) {
      const next = new Map(sessions.map(digest => [digest, Infinity]))
      for (const { digest, version } of users) next.set(digest, Math.max(version, next.get(digest) ?? 0))
      for (const [digest, version] of listed) if ((next.get(digest) ?? 0) < version) keep(digest, version)
      listed = next
      listedAt = receivedAt
      prune(knownUntil)
    },
    confirm ({ knownUntil, receivedAt }) {
      listedAt = receivedAt
      prune(knownUntil)
    },
    judge ({ sid, sub, ver }) {
      if (versionOf(sessionDigest(sid)) > 0) return 'ended'
      return ver < versionOf(userDigest(sub)) ? 'stale' : 'live'
    },
    get size () { return listed.size + kept.size }
  }
}
