import type { FastifyPluginAsync } from 'fastify'
import { listBreakersRoute } from './admin/list-breakers.ts'
import { listKeysRoute } from './admin/list-keys.ts'
import { revokeKeyRoute } from './admin/revoke-key.ts'
import { rotateKeysRoute } from './admin/rotate-keys.ts'
import { unlockUserRoute } from './admin/unlock-user.ts'
import { acceptInvitationRoute } from './auth/accept-invitation.ts'
import { confirmEmailChangeRoute } from './auth/confirm-email-change.ts'
import { forgotPasswordRoute } from './auth/forgot-password.ts'
import { introspectRoute } from './auth/introspect.ts'
import { loginRoute } from './auth/login.ts'
import { logoutRoute } from './auth/logout.ts'
import { logoutAllRoute } from './auth/logout-all.ts'
import { reauthenticateRoute } from './auth/reauthenticate.ts'
import { refreshRoute } from './auth/refresh.ts'
import { registerRoute } from './auth/register.ts'
import { resendVerificationRoute } from './auth/resend-verification.ts'
import { resetPasswordRoute } from './auth/reset-password.ts'
import { undoEmailChangeRoute } from './auth/undo-email-change.ts'
import { verifyEmailRoute } from './auth/verify-email.ts'
import { changeEmailRoute } from './users/change-email.ts'
import { changePasswordRoute } from './users/change-password.ts'
import { deleteMeRoute } from './users/delete-me.ts'
import { endSessionRoute } from './users/end-session.ts'
import { listSessionsRoute } from './users/list-sessions.ts'
import { readMeRoute } from './users/read-me.ts'
import { updateMeRoute } from './users/update-me.ts'

/** The API, one file per operation. */
export const apiRoutes: FastifyPluginAsync = async app => {
  await app.register(registerRoute, { prefix: '/auth' })
  await app.register(verifyEmailRoute, { prefix: '/auth' })
  await app.register(resendVerificationRoute, { prefix: '/auth' })
  await app.register(loginRoute, { prefix: '/auth' })
  await app.register(refreshRoute, { prefix: '/auth' })
  await app.register(reauthenticateRoute, { prefix: '/auth' })
  await app.register(logoutRoute, { prefix: '/auth' })
  await app.register(logoutAllRoute, { prefix: '/auth' })
  await app.register(introspectRoute, { prefix: '/auth' })
  await app.register(forgotPasswordRoute, { prefix: '/auth' })
  await app.register(resetPasswordRoute, { prefix: '/auth' })
  await app.register(confirmEmailChangeRoute, { prefix: '/auth' })
  await app.register(undoEmailChangeRoute, { prefix: '/auth' })
  await app.register(acceptInvitationRoute, { prefix: '/auth' })
  await app.register(readMeRoute, { prefix: '/users' })
  await app.register(updateMeRoute, { prefix: '/users' })
  await app.register(deleteMeRoute, { prefix: '/users' })
  await app.register(changePasswordRoute, { prefix: '/users' })
  await app.register(changeEmailRoute, { prefix: '/users' })
  await app.register(listSessionsRoute, { prefix: '/users' })
  await app.register(endSessionRoute, { prefix: '/users' })
  await app.register(listBreakersRoute, { prefix: '/admin' })
  await app.register(listKeysRoute, { prefix: '/admin' })
  await app.register(rotateKeysRoute, { prefix: '/admin' })
  await app.register(revokeKeyRoute, { prefix: '/admin' })
  await app.register(unlockUserRoute, { prefix: '/admin' })
}
