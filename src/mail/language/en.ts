import type { NoticeValues } from '../mail-values.ts'
import type { Notice } from '../order-mail.ts'
import type { MailLanguage } from './language.ts'

const units = [['day', 86_400], ['hour', 3600], ['minute', 60]] as const

function life (seconds: number): string {
  const [unit, length] = units.find(([, each]) => seconds >= each && seconds % each === 0) ?? ['second', 1]
  const count = seconds / length
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
}

const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })

const ignore = 'If you did not ask for this, do nothing: without the link nothing changes.'
const takeBack = 'If it was not you, set a new password at once: choose "forgotten password" where you sign in. That ends every session.'

/** What happened, and what to do if it was not the person themselves. */
const notices: Record<Notice, { subject: string, what: string, otherwise: string }> = {
  'password-changed': { subject: 'Your password was changed', what: 'The password of your account was changed.', otherwise: takeBack },
  'password-reset': { subject: 'Your password was reset', what: 'A new password was set for your account with a link from an e-mail. Every session has ended.', otherwise: `${takeBack} Make sure that nobody else reads your e-mail.` },
  'email-change-requested': { subject: 'A new e-mail address was asked for', what: 'Somebody who is signed in to your account asked to change its e-mail address. It changes once the new address is confirmed.', otherwise: takeBack },
  'email-changed': { subject: 'Your e-mail address was changed', what: 'The e-mail address of your account was changed.', otherwise: 'If it was not you, use the link to undo the change that was sent to the address from before. It also ends every session.' },
  'email-change-undone': { subject: 'The change of your e-mail address was undone', what: 'The account has the e-mail address from before again, and every session has ended.', otherwise: 'Whoever had changed it knew the password: set a new one with the link that was sent to that address.' },
  'account-locked': { subject: 'Sign-in to your account is locked', what: 'There were too many failed attempts to sign in to your account, so nobody can for a while. It opens by itself, unless there were a great many: then only a new password does. Devices on which you signed in before are not held up.', otherwise: 'If it was not you, somebody may be guessing your password. Choose one that you use nowhere else; to set a new one, and open the account at once, choose "forgotten password" where you sign in.' },
  'new-device': { subject: 'A new device signed in', what: 'Somebody signed in to your account from a device that was not used before.', otherwise: takeBack },
  'token-reuse': { subject: 'A session was ended for your safety', what: 'A key of one of your sessions was used twice, as happens when it was copied. The session has ended.', otherwise: `Sign in again. If this happens repeatedly, look for unwanted software on your device. ${takeBack}` },
  'roles-changed': { subject: 'Your roles were changed', what: 'What you may do with your account was changed.', otherwise: 'If you did not expect this, ask whoever runs the service.' },
  'account-deleted': { subject: 'Your account was deleted', what: 'Your account was deleted and every session has ended. The e-mail address is free again.', otherwise: 'If it was not you, tell whoever runs the service soon.' }
}

function factsOf ({ at, device, ipAddress, newEmail, roles }: NoticeValues): [string, string][] {
  const facts: [string, string | null][] = [['When', `${moment.format(at)} UTC`], ['Device', device], ['Address', ipAddress], ['New e-mail address', newEmail], ['Roles', roles]]
  return facts.flatMap(([name, value]) => value === null ? [] : [[name, value]])
}

/** The mails in English. */
export const en: MailLanguage = {
  tag: 'en',
  greeting: name => name === null ? 'Hello,' : `Hello ${name},`,
  linkHint: 'If the button does not work, copy this address into your browser:',
  footer: (service, address) => `This mail was sent by ${service} to ${address}.`,
  words: {
    'verify-email': ({ service, lifeSeconds }) => ({
      subject: 'Confirm your e-mail address',
      paragraphs: [`Somebody, we hope you, gave this address to ${service}. Confirm that it is yours.`],
      action: 'Confirm address',
      closing: [`The link is good for ${life(lifeSeconds)}.`, ignore]
    }),
    'reset-password': ({ service, lifeSeconds }) => ({
      subject: 'Set a new password',
      paragraphs: [`Somebody, we hope you, asked for a new password for your account at ${service}.`],
      action: 'Set new password',
      closing: [`The link is good for ${life(lifeSeconds)} and works once. A new password ends every session.`, ignore]
    }),
    'change-email': ({ service, lifeSeconds }) => ({
      subject: 'Confirm your new e-mail address',
      paragraphs: [`Somebody, we hope you, wants to use this address for an account at ${service}. Confirm that it is yours.`],
      action: 'Confirm new address',
      closing: [`The link is good for ${life(lifeSeconds)}.`, ignore]
    }),
    'undo-email-change': ({ service, lifeSeconds }) => ({
      subject: 'Your e-mail address was changed',
      paragraphs: [`Your account at ${service} has a new e-mail address. This one is used no longer.`, 'If it was not you, undo the change. That ends every session, so that nobody else stays signed in.'],
      action: 'Undo the change',
      closing: [`The link is good for ${life(lifeSeconds)}.`, 'If it was you, there is nothing to do.']
    }),
    invitation: ({ service, lifeSeconds }) => ({
      subject: `You are invited to ${service}`,
      paragraphs: [`An account was made for you at ${service}. Choose a password to use it.`],
      action: 'Choose a password',
      closing: [`The link is good for ${life(lifeSeconds)}.`, 'If you did not expect this, do nothing.']
    }),
    'already-registered': ({ service, taken }) => ({
      subject: taken === 'username' ? 'That username is taken' : 'You have an account already',
      paragraphs: taken === 'username'
        ? [`Somebody, we hope you, tried to register at ${service} with this address and a username that is taken. No account was made. Register again with another username.`]
        : [
            `Somebody, we hope you, tried ${taken === 'email' ? `to register at ${service} with this address` : `to make this the address of another account at ${service}`}. It has an account already, so nothing was changed.`,
            'Sign in with your password, or choose "forgotten password" to set a new one.'
          ],
      closing: ['If it was not you, there is nothing to do.']
    }),
    'security-notice': values => {
      const { subject, what, otherwise } = notices[values.notice]
      return { subject, paragraphs: [what], facts: factsOf(values), closing: ['If it was you, there is nothing to do.', otherwise] }
    }
  }
}
