import { Type, type Static } from '@sinclair/typebox'
import type { EventType, RequestContext } from '../audit/audit.ts'
import type { User } from '../schemas/user.ts'

/** What happened, as hooks are told it; `id` is that of the audit trail, and of the webhooks. Times are of this process. */
export interface HookEvent {
  readonly id: string
  readonly type: EventType
  readonly outcome: 'success' | 'failure'
  readonly occurredAt: string
  readonly actorId: string | null
  readonly targetId: string | null
  readonly sessionId: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** What `onEvent` is given; nothing of it can be changed. */
export interface EventHookCall {
  readonly event: HookEvent
  /** Where the request came from; all null where the service did it by itself. */
  readonly request: Readonly<RequestContext>
  /** Aborted when nobody waits for the hook any more. */
  readonly signal: AbortSignal
}

/** What the other hooks are given: the person too, as the API shows them, with the change. */
export interface UserHookCall extends EventHookCall {
  readonly user: Readonly<User>
}

export type UserHook = (call: UserHookCall) => unknown
export type EventHook = (call: EventHookCall) => unknown

const before = Type.Optional(Type.Unsafe<UserHook>(Type.Function([Type.Any()], Type.Any())))
const on = before

/**
 * Hooks of a host. Those that begin with `before` are awaited in the transaction of the change and refuse it by throwing a
 * CodedError; the others are awaited after its commit, and what they throw is logged.
 */
export const HooksSchema = Type.Object({
  /** Somebody registered, was invited or made by an administrator. */
  beforeUserCreated: before,
  onUserCreated: on,
  /** Profile, address or standing of somebody changed; `details.changed` says what. */
  beforeUserUpdated: before,
  onUserUpdated: on,
  beforeUserDeleted: before,
  onUserDeleted: on,
  /** Somebody signed in; not for a proof of identity within a session. */
  beforeLogin: before,
  onLogin: on,
  /** A password was changed, reset, or set for the first time. */
  beforePasswordChanged: before,
  onPasswordChanged: on,
  beforeRolesChanged: before,
  onRolesChanged: on,
  /** Every event of the audit trail, failures too, other than starts and stops. */
  onEvent: Type.Optional(Type.Unsafe<EventHook>(Type.Function([Type.Any()], Type.Any()))),
  /** Milliseconds for which the hooks of one change are waited for, before the commit and again after it. */
  timeoutMs: Type.Integer({ minimum: 1, maximum: 60_000, default: 5000 })
}, { additionalProperties: false })

export type Hooks = Partial<Static<typeof HooksSchema>>
