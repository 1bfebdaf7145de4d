/** What one page does. */
export interface PageKind {
  /** Path of the API that its token goes to. */
  action: string
  /** The person chooses a password with it. */
  password?: true
  /** Where somebody who got no further can have a mail with another link sent, and in which states of the page it is offered. */
  again?: { path: string, shown: readonly PageState[] }
}

type PageState = 'invalid' | 'missing' | 'conflict'

const forgot = '/auth/password/forgot'

/** The pages by the last part of their path, which is the name of the mail's template. */
export const pageNames = ['verify-email', 'reset-password', 'change-email', 'undo-email-change', 'invitation'] as const

export type PageName = typeof pageNames[number]

export const pageKinds: Record<PageName, PageKind> = {
  'verify-email': { action: '/auth/email/verify', again: { path: '/auth/email/resend', shown: ['invalid', 'missing'] } },
  'reset-password': { action: '/auth/password/reset', password: true, again: { path: forgot, shown: ['invalid', 'missing', 'conflict'] } },
  'change-email': { action: '/auth/email/change/confirm' },
  'undo-email-change': { action: '/auth/email/change/undo', again: { path: forgot, shown: ['invalid'] } },
  invitation: { action: '/auth/invitation/accept', password: true, again: { path: forgot, shown: ['invalid'] } }
}
