import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify from 'fastify'
import { renderConfigurationReference, renderEnvExample } from '../src/config/docs.ts'
import { renderErrorReference } from '../src/error-docs.ts'
import { authServe } from '../src/index.ts'
import { renderPermissionReference } from '../src/roles/permission-docs.ts'
import { packageRoot } from '../src/package-root.ts'

await writeFile(join(packageRoot, '.env.example'), renderEnvExample())
await writeFile(join(packageRoot, 'docs/reference/configuration.md'), renderConfigurationReference())
await writeFile(join(packageRoot, 'docs/reference/errors.md'), renderErrorReference())

// Nothing listens there: the document needs the routes only.
const app = Fastify()
await app.register(authServe, { apiPrefix: '/api/v1', secrets: ['x'.repeat(32)], jwt: { issuer: 'https://issuer.example' }, database: { url: 'postgres://localhost:1/none', migrate: false } })
const document = (await app.inject('/docs/json')).json()
await app.close()
await writeFile(join(packageRoot, 'docs/reference/permissions.md'), renderPermissionReference(document))
