import { randomBytes } from 'node:crypto'
import { Webhook as Signer } from 'standardwebhooks'
import type { WebhookRow } from '../db/webhooks.ts'
import { isSealedByCurrent, seal, unseal } from '../keys/sealing.ts'
import type { Secrets } from '../keys/secrets.ts'

/** 192 bits (Standard Webhooks asks for 24 to 64 bytes). */
const bytes = 24

/** A new signing secret as its receiver is told it. */
export const createWebhookSecret = (): string => `whsec_${randomBytes(bytes).toString('base64')}`

export const sealWebhookSecret = (secrets: Secrets, webhookId: string, secret: string): string => seal(secrets, 'webhook', webhookId, secret)

/** Whether the secret from before the last rotation signs, too. */
export const hasPreviousSecret = ({ previousSecret, previousSecretUntil }: WebhookRow, now: Date): boolean =>
  previousSecret !== null && previousSecretUntil !== null && previousSecretUntil > now

/** `webhook-signature` of Standard Webhooks: one for each secret that signs, the current one first. Throws UnsealError. */
export function signWebhook (secrets: Secrets, webhook: WebhookRow, { id, at, body }: { id: string, at: Date, body: string }): string {
  const { secret, previousSecret } = webhook
  const sealed = [secret, ...previousSecret !== null && hasPreviousSecret(webhook, at) ? [previousSecret] : []]
  return sealed.map(text => new Signer(unseal(secrets, 'webhook', webhook.id, text)).sign(id, at, body)).join(' ')
}

/** The same secrets under the current AUTH_SECRET; undefined where they are. Throws UnsealError. */
export function resealWebhook (secrets: Secrets, webhook: WebhookRow): Pick<WebhookRow, 'secret' | 'previousSecret'> | undefined {
  const { id, secret, previousSecret } = webhook
  if ([secret, previousSecret ?? secret].every(sealed => isSealedByCurrent(secrets, sealed))) return undefined
  const again = (sealed: string): string => seal(secrets, 'webhook', id, unseal(secrets, 'webhook', id, sealed))
  return { secret: again(secret), previousSecret: previousSecret === null ? null : again(previousSecret) }
}
