import type { Database, Stores } from '../db/stores.ts'
import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import { byItself } from './audit.ts'

/** Starts and stops of the service, for the trail; the log has lines of its own. A start without a stop before it was a crash. */
export interface Lifecycle {
  /** Records the start once the database lets it. */
  startupJob: MaintenanceJob
  recordShutdown(): Promise<void>
}

export function createLifecycle (database: Pick<Database, 'auditEvents'>, details: { version: string }): Lifecycle {
  const append = async ({ auditEvents }: Pick<Stores, 'auditEvents'>, type: 'sys_startup' | 'sys_shutdown') => {
    await auditEvents.append([{ ...byItself, type, outcome: 'success', details }])
  }
  let [written, committed] = [false, false]
  return {
    startupJob: {
      name: 'record-startup',
      async run (stores) {
        if (committed) return false
        await append(stores, 'sys_startup')
        written = true
        return false
      },
      onDone () { committed = written }
    },
    recordShutdown: async () => { await append(database, 'sys_shutdown') }
  }
}
