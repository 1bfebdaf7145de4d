import type { MaintenanceJob } from './maintenance.ts'

/** Jobs that remove what is of no more use, this many rows at a time. */
export function createPurgeJobs (batchSize: number): MaintenanceJob[] {
  return [
    {
      name: 'purge-sessions',
      async run (stores, record) {
        const over = await stores.sessions.purge(batchSize)
        for (const { id, userId, reason, endedAt, revoked } of over) {
          // The end of the others was told when somebody ended them.
          if (!revoked) record({ type: 'session_expired', outcome: 'success', targetId: userId, sessionId: id, details: { reason, endedAt: endedAt.toISOString() } })
        }
        return over.length === batchSize
      }
    },
    { name: 'purge-revocations', run: async stores => await stores.revocations.purge(batchSize) === batchSize },
    { name: 'purge-login-attempts', run: async stores => await stores.loginAttempts.purge(batchSize) === batchSize }
  ]
}
