/** What a route of ours may ask for. A host may have permissions of its own for its own routes. */
export const permissions = [
  'users:read', 'users:write',
  'events:read',
  'keys:read', 'keys:write',
  'outbox:read', 'outbox:write',
  'webhooks:read', 'webhooks:write',
  'breakers:read',
  'tokens:introspect'
] as const

export type Permission = typeof permissions[number]

/** How a permission is spelled. */
export const permissionPattern = '^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$'

/** How a role is spelled. */
export const rolePattern = '^[a-z][a-z0-9_-]{0,31}$'
