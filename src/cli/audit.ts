import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { exportEvents } from '../audit/export-events.ts'
import { verifyTrail, type AuditProblem, type AuditReport } from '../audit/verify.ts'
import type { EventSelection } from '../db/audit-events.ts'
import type { SealHead } from '../db/audit-seals.ts'
import { createDatabase } from '../db/stores.ts'
import { formats } from '../input/formats.ts'
import { eventTypes, type Event } from '../schemas/event.ts'
import { CommandError, misuse } from './exit.ts'
import { requireFree, writeOutputFile } from './output-file.ts'
import { print, type OutputOptions } from './output.ts'
import { secretsOf } from './secrets.ts'
import type { Surroundings } from './surroundings.ts'
import { withDatabase } from './with-database.ts'

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

async function * toLines (events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`
}

interface ExportOptions extends Pick<EventSelection, 'from' | 'to' | 'type'> { user?: string, force?: boolean }

export function auditCommand (surroundings: Surroundings): Command {
  const { stdout } = surroundings

  async function verify ({ json = false, expectHead }: OutputOptions & { expectHead?: SealHead }): Promise<void> {
    const onProblem = (problem: AuditProblem): void => { print(stdout, json ? JSON.stringify({ problem }) : problem.message) }
    const report = await withDatabase(surroundings, async (pool, config) =>
      await verifyTrail({ database: createDatabase(pool), secrets: await secretsOf(config), expectHead, onProblem }))
    if (json) print(stdout, JSON.stringify({ report }))
    else for (const line of describe(report)) print(stdout, line)
    if (!report.intact) throw new CommandError('The audit trail is not what was sealed.')
  }

  async function exportTrail (file: string, { user, type, from, to, force = false }: ExportOptions): Promise<void> {
    if (from !== undefined && to !== undefined && from >= to) throw misuse('--to must be later than --from')
    if (file !== '-') await requireFree(file, { force })
    await withDatabase(surroundings, async pool => {
      const lines = Readable.from(toLines(exportEvents(createDatabase(pool), { userId: user, type, from, to })))
      if (file === '-') await pipeline(lines, stdout, { end: false })
      else await writeOutputFile(file, async stream => { await pipeline(lines, stream) }, { force })
    })
  }

  return new Command('audit')
    .description('check and export the audit trail')
    .addHelpText('after', `
Examples:
  auth-serve audit verify
  auth-serve audit export --from 2026-01-01 --to 2026-02-01 january.ndjson
  auth-serve audit export --type authn_login_fail - | jq .ipAddress`)
    .addCommand(new Command('verify')
      .description('hold the trail against its seals; exits with 1 unless it is intact')
      .addOption(new Option('--expect-head <sequence:mac>', 'head as it was noted elsewhere: tells whether the end was cut off').argParser(parseHead))
      .option('--json', 'JSON lines: each problem, and the report last')
      .action(verify))
    .addCommand(new Command('export')
      .description('write events as NDJSON, the oldest first')
      .argument('[file]', 'where to; - for standard output', '-')
      .option('--force', 'replace the file where it exists')
      .addOption(new Option('--from <moment>', 'the first moment').argParser(parseMoment))
      .addOption(new Option('--to <moment>', 'the first moment that does not count any more').argParser(parseMoment))
      .addOption(new Option('--user <id>', 'what this person did, and what was done to them').argParser(parseUserId))
      .addOption(new Option('--type <type>', 'a name of the OWASP logging vocabulary').choices(eventTypes))
      .action(exportTrail))
}
