import { createAuditMonthStore } from '../db/audit-months.ts'
import { migrateUp } from '../db/migrations.ts'
import type { Pool } from '../db/pool.ts'

/**
 * Brings the schema to this release and makes the months of the audit trail, as the service does at its start: without
 * them nothing can be changed where no service ran for long. Answers the migrations that it applied.
 */
export async function bringUp (pool: Pool): Promise<string[]> {
  const applied = await migrateUp(pool)
  await createAuditMonthStore(async query => await pool.transaction(query)).makeAhead()
  return applied
}
