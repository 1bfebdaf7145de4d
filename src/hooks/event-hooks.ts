import { toUser } from '../accounts/to-user.ts'
import type { AuditEvent, EventHooks, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import { parseOptions } from '../options.ts'
import { withinTime } from '../within-time.ts'
import { frozen } from './frozen.ts'
import { hooksOf, type NamedHooks } from './named-hooks.ts'
import { HooksSchema, type EventHook, type EventHookCall, type HookEvent, type Hooks, type UserHookCall } from './options.ts'

interface Log { error(details: object, message: string): void }

/** An event, the hooks that are for it, and what they are told. */
interface Told { named: NamedHooks, call: Omit<EventHookCall, 'signal'>, user: UserHookCall['user'] | undefined }

const toHookEvent = ({ id, type, outcome, actorId, targetId, sessionId, details }: AuditEvent & { id: string }): HookEvent => ({
  id,
  type,
  outcome,
  occurredAt: new Date().toISOString(),
  actorId: actorId ?? null,
  targetId: targetId ?? null,
  sessionId: sessionId ?? null,
  details: details ?? {}
})

/** Only where a hook is to be told of them: this is the one statement that hooks cost. */
async function readUser ({ users }: Stores, { targetId }: AuditEvent): Promise<UserHookCall['user']> {
  const row = targetId === undefined ? undefined : await users.findEvenDeleted(targetId)
  if (row === undefined) throw new CodedError('INTERNAL_ERROR', 'Something went wrong on our side.', { cause: new Error('nobody is there whom a hook could be told of') })
  return toUser(row)
}

/** What a hook threw as an error of the catalogue; what is none becomes INTERNAL_ERROR. */
const asRefusal = (error: unknown): CodedError =>
  error instanceof CodedError ? error : new CodedError('INTERNAL_ERROR', 'Something went wrong on our side.', { cause: error })

async function runBefore (all: readonly Told[], signal: AbortSignal): Promise<void> {
  for (const { named, call, user } of all) {
    if (user === undefined) continue
    // What they would be asked about is rolled back already.
    if (signal.aborted) return
    try {
      await named.before?.(frozen({ ...call, user }, signal))
    } catch (error) {
      throw asRefusal(error)
    }
  }
}

/**
 * Calls the hooks of a host for events of the trail: one after another, in the order of the events. Answers undefined where
 * there are none, so that the trail does nothing for them.
 *
 * @throws TypeError for options that are not valid.
 */
export function createEventHooks (options: Hooks | undefined, log: Log): EventHooks | undefined {
  const hooks = parseOptions('hooks', HooksSchema, options)
  const { timeoutMs, onEvent } = hooks
  if (Object.values(hooks).every(value => typeof value !== 'function')) return undefined

  const isToldOfAccounts = hooks.beforeUserCreated !== undefined || hooks.onUserCreated !== undefined

  async function tellOne (stores: Stores, event: AuditEvent & { id: string }, request: RequestContext): Promise<Told> {
    const named = hooksOf(hooks, event)
    const user = named.before === undefined && named.on === undefined ? undefined : await readUser(stores, event)
    // Private registration runs the same statements for an address that is taken; of that no hook is told.
    if (isToldOfAccounts && event.type === 'user_created' && event.outcome === 'failure') await stores.users.findEvenDeleted(event.targetId ?? event.id)
    return { named, user, call: { event: toHookEvent(event), request: { ...request } } }
  }

  async function runAfter (all: readonly Told[], signal: AbortSignal): Promise<void> {
    const attempt = async (hook: string, eventId: string, run: () => unknown): Promise<void> => {
      try {
        await run()
      } catch (error) {
        log.error({ err: error, hook, eventId }, 'a hook failed, which changes nothing')
      }
    }
    const callEvent = async (hook: EventHook | undefined, call: Told['call']): Promise<void> => { await attempt('onEvent', call.event.id, () => hook?.(frozen(call, signal))) }
    for (const { named, call, user } of all) {
      if (user !== undefined) await attempt(`on${named.name}`, call.event.id, () => named.on?.(frozen({ ...call, user }, signal)))
      await callEvent(onEvent, call)
    }
  }

  return {
    async tell (stores, events, context) {
      const all: Told[] = []
      for (const event of events) all.push(await tellOne(stores, event, context))
      return {
        async before () {
          if (all.every(({ named }) => named.before === undefined)) return
          await withinTime(timeoutMs, async signal => { await runBefore(all, signal) }).catch(error => {
            throw error instanceof CodedError ? error : new CodedError('SERVICE_UNAVAILABLE', 'Who is to be asked first did not answer in time; try again.', { retryAfterSeconds: 1, cause: error })
          })
        },
        async after () {
          await withinTime(timeoutMs, async signal => { await runAfter(all, signal) }).catch(error => {
            log.error({ err: error, eventId: all[0]?.call.event.id }, 'hooks took too long; they are not waited for')
          })
        }
      }
    }
  }
}
