import { Type } from '@sinclair/typebox'
import { permissions } from '../roles/permissions.ts'

/** How people join, and the lives of the links that they are sent. */
export const accounts = Type.Object({
  adminEmail: Type.Optional(Type.String({ env: 'ADMIN_EMAIL', derived: 'none: administrators are made by `auth-serve users create --role admin`', example: 'admin@example.com', pattern: '^[^\\s<>@,;]+@[^\\s<>@,;]+$', expected: 'one e-mail address such as admin@example.com', description: 'Where an invitation to be the first administrator goes at start, as long as there is none. There are no default accounts.' })),
  roles: Type.Optional(Type.Array(Type.String(), { env: 'ROLES', derived: 'none beside `user` and `admin`', example: 'support=users:read|users:write,auditor=events:read', description: `Roles that people may have beside \`user\` and \`admin\`, and what each may do: ${permissions.join(', ')}. Names are lower case; \`admin\` may do everything.` })),
  requireEmailVerification: Type.Optional(Type.Boolean({ env: 'REQUIRE_EMAIL_VERIFICATION', derived: 'false, and true with REGISTRATION_PRIVACY=private', example: 'true', description: 'Sign nobody in before they have confirmed their e-mail address.' })),
  registrationPrivacy: Type.Union([Type.Literal('public'), Type.Literal('private')], { env: 'REGISTRATION_PRIVACY', default: 'public', description: 'Whether registration says at once that an e-mail address or username is taken (`public`), or answers always alike and tells the rest by mail (`private`).' }),
  verificationTtlSeconds: Type.Integer({ env: 'EMAIL_VERIFICATION_TTL_SECONDS', default: 86400, minimum: 60, maximum: 2592000, description: 'Life in seconds of the link that confirms an e-mail address, a new one too.' }),
  resetTtlSeconds: Type.Integer({ env: 'PASSWORD_RESET_TTL_SECONDS', default: 1800, minimum: 60, maximum: 86400, description: 'Life in seconds of the link that sets a new password.' }),
  undoTtlSeconds: Type.Integer({ env: 'EMAIL_UNDO_TTL_SECONDS', default: 604800, minimum: 60, maximum: 2592000, description: 'Life in seconds of the link by which the old address takes a change of e-mail back.' }),
  invitationTtlSeconds: Type.Integer({ env: 'INVITATION_TTL_SECONDS', default: 604800, minimum: 60, maximum: 2592000, description: 'Life in seconds of an invitation.' })
}, { title: 'Accounts' })

/** How mails go out. */
export const mail = Type.Object({
  smtpUrl: Type.Optional(Type.String({ env: 'SMTP_URL', sensitive: true, derived: 'none: mails are written to MAIL_DIR', example: 'smtps://user:password@smtp.example.com:465', pattern: '^smtps?://\\S+$', expected: 'a URL such as smtps://user:password@smtp.example.com:465 or smtp://localhost:1025', description: 'Server that takes the mails. `smtp:` uses STARTTLS where it is offered; `?requireTLS=true` insists.' })),
  from: Type.Optional(Type.String({ env: 'MAIL_FROM', derived: 'auth-serve at the host of PUBLIC_URL', example: 'Accounts <accounts@example.com>', description: 'Sender of the mails.' })),
  directory: Type.Optional(Type.String({ env: 'MAIL_DIR', derived: 'DATA_DIR/mail', example: './data/mail', description: 'Folder that gets the mails as .eml files where there is no SMTP_URL. They hold live links: only the owner may read it.' })),
  cooldownSeconds: Type.Integer({ env: 'MAIL_COOLDOWN_SECONDS', default: 60, minimum: 0, maximum: 86400, description: 'Seconds in which one address gets no second mail of a kind; the answer of the service is the same.' }),
  linkBase: Type.Optional(Type.String({ env: 'LINK_BASE', derived: 'PUBLIC_URL/pages', example: 'https://app.example.com/account', description: 'Where links in mails lead: `LINK_BASE/reset-password#token=...` and the like. Your own pages read the token from the fragment and POST it; by default those of the service do.' })),
  concurrency: Type.Integer({ env: 'MAIL_CONCURRENCY', default: 4, minimum: 1, maximum: 100, description: 'Mails that a process sends at once.' }),
  retrySeconds: Type.Integer({ env: 'MAIL_RETRY_SECONDS', default: 172800, minimum: 1, maximum: 1209600, description: 'Seconds for which a mail is tried; then it is a dead letter, listed by GET /admin/outbox.' }),
  retentionDays: Type.Integer({ env: 'MAIL_RETENTION_DAYS', default: 30, minimum: 1, maximum: 3650, description: 'Days for which sent mails and dead letters are listed; what they said is not kept.' })
}, { title: 'Mail' })

/** The trail of what happened. */
export const audit = Type.Object({
  sealSeconds: Type.Integer({ env: 'AUDIT_SEAL_SECONDS', default: 10, minimum: 1, maximum: 3600, description: 'Seconds between two sealings of the audit trail; what was not sealed yet could be altered without a trace by whoever writes to the database.' }),
  retentionDays: Type.Integer({ env: 'AUDIT_RETENTION_DAYS', default: 365, minimum: 0, maximum: 36500, description: 'Days for which the audit trail is kept, with addresses and user agents; whole months are dropped. 0 keeps it for good.' })
}, { title: 'Audit trail' })

/** Webhooks: events that other programs are told of. */
export const webhooks = Type.Object({
  timeoutMs: Type.Integer({ env: 'WEBHOOK_TIMEOUT_MS', default: 10000, minimum: 100, maximum: 60000, description: 'Milliseconds that a receiver has to answer.' }),
  concurrency: Type.Integer({ env: 'WEBHOOK_CONCURRENCY', default: 16, minimum: 1, maximum: 100, description: 'Deliveries that a process makes at once; one webhook takes up a quarter of them at most.' }),
  retrySeconds: Type.Integer({ env: 'WEBHOOK_RETRY_SECONDS', default: 259200, minimum: 1, maximum: 1209600, description: 'Seconds for which a delivery is tried; then it is listed as failed.' }),
  retentionDays: Type.Integer({ env: 'WEBHOOK_RETENTION_DAYS', default: 7, minimum: 1, maximum: 3650, description: 'Days for which deliveries are listed after they were made or given up.' }),
  allowPrivate: Type.Boolean({ env: 'WEBHOOK_ALLOW_PRIVATE', default: false, description: 'Let webhooks lead to private, loopback and link-local addresses and to http: for development, and for networks where nobody but operators makes webhooks.' })
}, { title: 'Webhooks' })
