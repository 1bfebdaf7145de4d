import type { SealHead, SealRow, UnsealedSummary } from '../db/audit-seals.ts'
import type { Database } from '../db/stores.ts'
import type { Secret, Secrets } from '../keys/secrets.ts'
import { writeHead } from './jobs.ts'
import { eventMacBytes, macOfEvent, macOfSeal } from './seal-macs.ts'
import { monthOf } from './seal.ts'

/** What is wrong with the trail. */
export interface AuditProblem {
  kind: 'event-altered' | 'event-missing' | 'event-added' | 'seal-altered' | 'seal-missing' | 'seal-unverifiable' | 'head-missing'
  /** In a sentence, with what follows. */
  message: string
  sequence?: number
  eventId?: string
  month?: string
}

/** What verification came to. */
export interface AuditReport {
  /** Nothing is wrong, and nothing was left unchecked but what waits to be sealed. */
  intact: boolean
  seals: number
  /** Sealed events whose MAC was checked. */
  events: number
  /** Where the chain ends, as `--expect-head` takes it; null where there is none. */
  head: string | null
  /** Everything before was dropped by retention; null where nothing was. */
  keptSince: Date | null
  /** What waits to be sealed, and could be altered without a trace as yet. */
  unsealed: UnsealedSummary
  problems: number
}

export interface VerifyOptions {
  database: Pick<Database, 'auditSeals'>
  secrets: Secrets
  /** The head as it was noted elsewhere: the chain must hold it. */
  expectHead: SealHead | undefined
  onProblem: (problem: AuditProblem) => void
}

/** Seals, and events, that are held at a time. */
const [sealPage, eventPage] = [20, 2000]

/**
 * Holds the trail against its seals, in constant memory and without a lock: every MAC, every link, every event of every
 * seal, and whether each event of the trail is sealed or waits to be. What the service seals or drops meanwhile is no
 * problem. Only reads.
 */
export async function verifyTrail ({ database: { auditSeals }, secrets, expectHead, onProblem }: VerifyOptions): Promise<AuditReport> {
  const counts = { seals: 0, events: 0, problems: 0 }
  let keptSince = await auditSeals.keptSince()
  const isDropped = (until: Date): boolean => keptSince !== undefined && until < keptSince
  const report = (problem: AuditProblem): void => {
    counts.problems++
    onProblem(problem)
  }

  async function checkEvents (seal: SealRow, secret: Secret): Promise<void> {
    if (isDropped(seal.until)) return
    const { sequence, eventIds, eventMacs } = seal
    const stored = await auditSeals.eventsOf(seal)
    // Retention may have come by since.
    if (stored.length < eventIds.length) keptSince = await auditSeals.keptSince()
    if (isDropped(seal.until)) return
    const macs = new Map(eventIds.map((id, index) => [id, eventMacs.subarray(index * eventMacBytes, (index + 1) * eventMacBytes)]))
    const about = { sequence, month: monthOf(seal.until) }
    const found = new Set<string>()
    for (const event of stored) {
      counts.events++
      const twice = found.has(event.id)
      found.add(event.id)
      if (twice) report({ kind: 'event-added', ...about, eventId: event.id, message: `event ${event.id} of ${about.month} stands in the trail twice` })
      if (macs.get(event.id)?.equals(macOfEvent(secret, event)) === true) continue
      report({ kind: 'event-altered', ...about, eventId: event.id, message: `event ${event.id} of ${about.month} was altered after seal ${sequence} was made` })
    }
    for (const id of eventIds.filter(id => !found.has(id))) {
      report({ kind: 'event-missing', ...about, eventId: id, message: `event ${id} of ${about.month}, which seal ${sequence} is about, is missing` })
    }
  }

  async function checkSeal (seal: SealRow, before: SealHead | undefined): Promise<void> {
    const { sequence, keyId } = seal
    const about = { sequence, month: monthOf(seal.until) }
    const expected = (before?.sequence ?? 0) + 1
    const secret = secrets.find(keyId)
    if (sequence !== expected) {
      const which = sequence - 1 === expected ? `seal ${expected} is missing` : `seals ${expected} to ${sequence - 1} are missing`
      report({ kind: 'seal-missing', sequence: expected, message: `${which}, so that seal ${sequence} cannot be checked` })
    } else if (secret === undefined) {
      report({ kind: 'seal-unverifiable', ...about, message: `seal ${sequence} cannot be checked: AUTH_SECRET lacks the entry that it was made with (${keyId})` })
    } else if (!macOfSeal(secret, seal, before?.mac ?? null).equals(seal.mac)) {
      report({ kind: 'seal-altered', ...about, message: `seal ${sequence} was altered, or does not follow the seal before it` })
    } else if (seal.kind === 'events') {
      await checkEvents(seal, secret)
    }
  }

  /** Answers the head. */
  async function checkChain (): Promise<SealHead | undefined> {
    let before: SealHead | undefined
    for (;;) {
      const seals = await auditSeals.chain(before?.sequence ?? 0, sealPage)
      for (const seal of seals) {
        await checkSeal(seal, before)
        counts.seals++
        before = seal
        // Beyond it numbers are not told apart, so there is no way on.
        if (!Number.isSafeInteger(seal.sequence)) return undefined
      }
      if (seals.length < sealPage) return before === undefined ? undefined : { sequence: before.sequence, mac: before.mac }
    }
  }

  /** Finds events that no seal and no queue knows. */
  async function checkTrail (): Promise<void> {
    for (let after: { id: string, occurredAt: Date } | undefined; ;) {
      const events = await auditSeals.walk(after, eventPage)
      for (const { id, occurredAt, known } of events) {
        const month = monthOf(occurredAt)
        const about = { kind: 'event-added', eventId: id, month } as const
        if (isDropped(occurredAt)) report({ ...about, message: `event ${id} of ${month} was added: that month was dropped` })
        else if (!known) report({ ...about, message: `event ${id} of ${month} was added: it is neither sealed nor waiting to be` })
      }
      after = events.at(-1)
      if (events.length < eventPage) return
    }
  }

  const head = await checkChain()
  await checkTrail()
  for (const { id, occurredAt } of await auditSeals.waitingForNothing(eventPage)) {
    report({ kind: 'event-missing', eventId: id, month: monthOf(occurredAt), message: `event ${id} of ${monthOf(occurredAt)}, which waits to be sealed, is missing` })
  }
  if (expectHead !== undefined && await auditSeals.macOf(expectHead.sequence).then(mac => mac?.equals(expectHead.mac)) !== true) {
    report({ kind: 'head-missing', sequence: expectHead.sequence, message: `the chain does not hold ${writeHead(expectHead)}: its end was cut off, or it is another chain` })
  }
  return {
    ...counts,
    intact: counts.problems === 0,
    head: head === undefined ? null : writeHead(head),
    keptSince: keptSince ?? null,
    unsealed: await auditSeals.unsealed()
  }
}
