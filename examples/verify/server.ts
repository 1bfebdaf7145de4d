// An app of its own that takes the access tokens of an auth-serve at AUTH_URL (default: http://localhost:3000, `npm start`).
//   npx tsx examples/verify/server.ts
//   curl -s http://localhost:4000/whoami -H "authorization: Bearer $TOKEN"
import Fastify from 'fastify'
import { verifyPlugin } from 'auth-serve/plugins/verify'

const authUrl = process.env.AUTH_URL ?? 'http://localhost:3000'

const app = Fastify({ logger: true })

await app.register(verifyPlugin, {
  issuer: process.env.JWT_ISSUER ?? authUrl,
  audience: 'auth-serve',
  jwksUrl: `${authUrl}/.well-known/jwks.json`,
  revocations: { url: `${authUrl}/.well-known/revocations.json` }
})

app.get('/whoami', { onRequest: app.authenticate }, async ({ auth }) => ({ userId: auth?.userId, roles: auth?.roles }))
app.get('/reports', { onRequest: app.requireRole('admin', 'analyst') }, async () => ({ reports: [] }))

await app.listen({ port: Number(process.env.PORT ?? 4000) })
