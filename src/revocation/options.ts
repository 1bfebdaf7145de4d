import { Type, type Static } from '@sinclair/typebox'

/** How revocations are followed; see `startRevocationFeed`. */
export const RevocationOptionsSchema = Type.Object({
  /** Seconds for which the feed may be interrupted before bearer routes answer 503; default: the life of an access token. */
  maxStalenessSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  /** Ended sessions and changed users that are held in memory; beyond it each request asks the database. */
  maxEntries: Type.Integer({ minimum: 1, maximum: 10_000_000, default: 200_000 }),
  /** Milliseconds between two heartbeats, and that one may take to come back. */
  heartbeatMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 5000 }),
  /** Milliseconds between two full readings. */
  rereadMs: Type.Integer({ minimum: 100, maximum: 3_600_000, default: 30_000 })
}, { additionalProperties: false, default: {} })
export type RevocationOptions = Partial<Static<typeof RevocationOptionsSchema>>
