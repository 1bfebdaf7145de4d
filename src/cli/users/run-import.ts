import { createAudit } from '../../audit/audit.ts'
import { createDatabase, type Database } from '../../db/stores.ts'
import { checkPeople } from '../../import/check-people.ts'
import { noCounts, type Counts } from '../../import/counts.ts'
import { importPeople, type ImportDependencies } from '../../import/import-people.ts'
import type { DuplicatePolicy, Outcome } from '../../import/outcome.ts'
import { openReportFile, type ReportFile } from '../../import/report-file.ts'
import { bringUp } from '../bring-up.ts'
import { CommandError } from '../exit.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import { createProgress, type Progress } from '../progress.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

export interface RunOptions extends OutputOptions {
  duplicates: DuplicatePolicy
  report?: string
  dryRun?: boolean
  skipInvalid?: boolean
  again?: boolean
}

type Work = Pick<ImportDependencies, 'fingerprint' | 'read' | 'judge'>

const context = { requestId: null, ipAddress: null, userAgent: 'auth-serve users import' }

/** Refused records that are told one by one; --report has them all. */
const mostTold = 20

/** Checks a file and imports it, or goes on with it, and tells what came of it. */
export async function runImport (surroundings: Surroundings, options: RunOptions, work: Work): Promise<void> {
  const { stdout, stderr } = surroundings
  const { duplicates, skipInvalid = false, dryRun = false, again = false, json = false } = options
  let told = 0

  function tellRefused (outcomes: readonly Outcome[]): void {
    for (const { row, field, reason } of outcomes.filter(({ outcome }) => outcome === 'refused')) {
      if (++told <= mostTold) print(stderr, `row ${row}: ${field}: ${reason}`)
    }
  }
  const tellRest = (refused: number): void => { if (refused > mostTold) print(stderr, `and ${refused - mostTold} more${options.report === undefined || !dryRun ? '; --dry-run --report FILE lists them all' : ''}`) }

  function tellCounts ({ created, skipped, refused }: Counts, how: string): void {
    if (json) printJson(stdout, { dryRun, created, skipped, refused })
    else print(stdout, `${how}created ${created}, skipped ${skipped}, refused ${refused}`)
  }

  async function withProgress<T> (title: string, total: number | undefined, use: (progress: Progress) => Promise<T>): Promise<T> {
    const progress = createProgress(stderr, { title, total })
    try {
      return await use(progress)
    } finally {
      progress.stop()
    }
  }

  /** Judges the whole file; only a dry run reports that, others what is stored. */
  async function check (database: Database, report?: ReportFile): Promise<Counts> {
    const counts = await withProgress('checking', undefined, async progress => await checkPeople({
      ...work,
      database,
      duplicates,
      onOutcomes: async outcomes => {
        tellRefused(outcomes)
        await report?.write(outcomes)
      },
      onProgress: progress.update
    }))
    tellRest(counts.refused)
    if (counts.position === 0) throw new CommandError('There are no people in the file.')
    return counts
  }

  async function store (database: Database, begun: Counts, total: number | undefined): Promise<Counts> {
    const report = options.report === undefined ? undefined : await openReportFile(options.report, begun.position)
    try {
      return await withProgress('importing', total, async progress => await importPeople({
        ...work,
        duplicates,
        skipInvalid,
        audit: createAudit(database, () => {}),
        context,
        onOutcomes: async outcomes => { await report?.write(outcomes) },
        onProgress: progress.update
      }, begun))
    } finally {
      await report?.close()
    }
  }

  async function dryRunOf (database: Database): Promise<void> {
    const report = options.report === undefined ? undefined : await openReportFile(options.report, 0)
    const counts = await check(database, report).finally(async () => { await report?.close() })
    tellCounts(counts, 'nothing was written; would be ')
    if (counts.refused > 0 && !skipInvalid) throw new CommandError('There are records that are refused: mend them, or import the others with --skip-invalid.')
  }

  await withDatabase(surroundings, async (pool, config) => {
    if (config.database.migrate) await bringUp(pool)
    const database = createDatabase(pool)
    if (dryRun) return await dryRunOf(database)
    const known = again ? undefined : await database.userImport.find(work.fingerprint)
    if (known !== undefined && known.finishedAt !== null) {
      print(stderr, `This file was imported on ${known.finishedAt.toISOString()}; --again imports it anew.`)
      return tellCounts(known, '')
    }
    let begun: Counts = known ?? noCounts
    let total: number | undefined
    if (known === undefined) {
      const checked = await check(database)
      if (checked.refused > 0 && !skipInvalid) throw new CommandError(`Nothing was imported: ${checked.refused} of ${checked.position} records are refused. Mend them, or import the others with --skip-invalid.`)
      await database.userImport.begin(work.fingerprint)
      begun = noCounts
      total = checked.position
    } else print(stderr, `Going on after ${begun.position} records.`)
    const counts = await store(database, begun, total)
    await database.userImport.finish(work.fingerprint)
    tellCounts(counts, '')
  })
}
