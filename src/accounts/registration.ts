import type { Audit } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import { createCreateAccount } from './create-account.ts'
import { createRegister, type Register } from './register.ts'
import { createRegisterPrivately, type RegisterPrivately } from './register-privately.ts'
import { createResendVerification, type ResendVerification } from './resend-verification.ts'
import { createVerifyEmail, type VerifyEmail } from './verify-email.ts'

/** Whether registration says at once that a name is taken, or answers everybody alike. */
export type RegistrationPrivacy = 'public' | 'private'

export interface RegistrationDependencies {
  database: Database
  audit: Audit
  passwords: Passwords
  orderMail: OrderMail
  loginLock: LoginLock
  privacy: RegistrationPrivacy
}

/** How people join, and prove the address that they joined with. */
export interface Registration {
  /** Which of the two ways to register is open. */
  privacy: RegistrationPrivacy
  register: Register
  registerPrivately: RegisterPrivately
  verifyEmail: VerifyEmail
  resendVerification: ResendVerification
}

export function createRegistration ({ database, audit, passwords, orderMail, loginLock, privacy }: RegistrationDependencies): Registration {
  return {
    privacy,
    register: createRegister({ createAccount: createCreateAccount({ database, audit, passwords }), orderMail }),
    registerPrivately: createRegisterPrivately({ audit, passwords, orderMail }),
    verifyEmail: createVerifyEmail({ audit, loginLock }),
    resendVerification: createResendVerification({ database, orderMail })
  }
}
