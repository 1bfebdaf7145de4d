import { createWriteStream } from 'node:fs'
import { access, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { exportEvents } from '../audit/export-events.ts'
import { verifyTrail, type AuditProblem, type AuditReport } from '../audit/verify.ts'
import { readOrCreateSecret } from '../config.ts'
import type { EventSelection } from '../db/audit-events.ts'
import type { SealHead } from '../db/audit-seals.ts'
import { createDatabase } from '../db/stores.ts'
import { formats } from '../input/formats.ts'
import { createSecrets } from '../keys/secrets.ts'
import { eventTypes, type Event } from '../schemas/event.ts'
import { withDatabase } from './with-database.ts'

const print = (text: string): void => { process.stdout.write(`${text}\n`) }

function parseHead (text: string): SealHead {
  const [, sequence, mac = ''] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined) throw new InvalidArgumentError('Give <sequence>:<mac> as "audit verify" and the log print it.')
  return { sequence: Number(sequence), mac: Buffer.from(mac, 'hex') }
}

function parseMoment (text: string): Date {
  const complete = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  if (formats['date-time']?.(complete) !== true) throw new InvalidArgumentError('Give a date such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z.')
  return new Date(complete)
}

function parseUserId (text: string): string {
  if (formats.uuid?.(text) !== true) throw new InvalidArgumentError('Give the id of a person, a UUID.')
  return text
}

/** What a person reads of a report. */
function * describe ({ intact, seals, events, head, keptSince, unsealed, problems }: AuditReport): Generator<string> {
  if (keptSince !== null) yield `dropped by retention: everything before ${keptSince.toISOString()}`
  yield `checked: ${seals} seals, ${events} events`
  yield unsealed.oldest === null ? 'not sealed yet: nothing' : `not sealed yet: ${unsealed.count} events, the oldest of ${unsealed.oldest.toISOString()}`
  yield `head: ${head ?? 'none'}`
  yield intact ? 'intact' : `NOT INTACT: ${problems} ${problems === 1 ? 'problem' : 'problems'}`
}

async function verify ({ json = false, expectHead }: { json?: boolean, expectHead?: SealHead }): Promise<void> {
  const onProblem = (problem: AuditProblem): void => { print(json ? JSON.stringify({ problem }) : problem.message) }
  const report = await withDatabase(async (pool, config) => await verifyTrail({
    database: createDatabase(pool),
    secrets: createSecrets(config.tokens.secrets ?? [await readOrCreateSecret(config.database.dataDir)]),
    expectHead,
    onProblem
  }))
  if (json) print(JSON.stringify({ report }))
  else for (const line of describe(report)) print(line)
  if (!report.intact) process.exitCode = 1
}

async function * toLines (events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`
}

const isThere = async (file: string): Promise<boolean> => await access(file).then(() => true, () => false)

/** Writes to a file that appears once it is whole; only its owner may read it. */
async function writeToFile (file: string, lines: Readable): Promise<void> {
  const partial = `${file}.partial`
  try {
    await pipeline(lines, createWriteStream(partial, { mode: 0o600, flags: 'wx' }))
    await rename(partial, file)
  } catch (error) {
    // Somebody else's, where it was there before.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) await rm(partial, { force: true })
    throw error
  }
}

interface ExportOptions extends Pick<EventSelection, 'from' | 'to' | 'type'> { user?: string }

async function exportTrail (file: string, { user, type, from, to }: ExportOptions, command: Command): Promise<void> {
  if (from !== undefined && to !== undefined && from >= to) command.error('error: --to must be later than --from')
  if (file !== '-' && await isThere(file)) command.error(`error: ${file} exists already; name another file`)
  await withDatabase(async pool => {
    const lines = Readable.from(toLines(exportEvents(createDatabase(pool), { userId: user, type, from, to })))
    if (file === '-') await pipeline(lines, process.stdout, { end: false })
    else await writeToFile(file, lines)
  })
}

export const auditCommand = new Command('audit')
  .description('check and export the audit trail')
  .addCommand(new Command('verify')
    .description('hold the trail against its seals; exits with 1 unless it is intact')
    .addOption(new Option('--expect-head <sequence:mac>', 'head as it was noted elsewhere: tells whether the end was cut off').argParser(parseHead))
    .option('--json', 'JSON lines: each problem, and the report last')
    .action(verify))
  .addCommand(new Command('export')
    .description('write events as NDJSON, the oldest first')
    .argument('[file]', 'where to; - for standard output', '-')
    .addOption(new Option('--from <moment>', 'the first moment').argParser(parseMoment))
    .addOption(new Option('--to <moment>', 'the first moment that does not count any more').argParser(parseMoment))
    .addOption(new Option('--user <id>', 'what this person did, and what was done to them').argParser(parseUserId))
    .addOption(new Option('--type <type>', 'a name of the OWASP logging vocabulary').choices(eventTypes))
    .action(exportTrail))
