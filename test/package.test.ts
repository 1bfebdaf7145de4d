import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { errorCatalogue } from '../src/errors.ts'
import { renderErrorReference } from '../src/error-docs.ts'
import { packageRoot } from '../src/package-root.ts'

const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'))

t.test('what the package exports is pinned', async t => {
  const exported: Record<string, string[]> = {}
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue
    const { default: file } = target as { default: string }
    exported[subpath] = Object.keys(await import(join(packageRoot, file))).sort()
  }
  t.same(exported, {
    '.': ['CodedError', 'authServe', 'default', 'serverOptions'],
    './plugins/audit': ['AuditOptionsSchema', 'auditPlugin', 'default'],
    './plugins/auth': ['AuthOptionsSchema', 'authPlugin', 'default'],
    './plugins/breaker': ['BreakerOptionsSchema', 'breakerPlugin', 'default'],
    './plugins/cors': ['CorsOptionsSchema', 'corsPlugin', 'default'],
    './plugins/db': ['DbOptionsSchema', 'dbPlugin', 'default'],
    './plugins/docs': ['DocsOptionsSchema', 'default', 'docsPlugin'],
    './plugins/errors': ['default', 'errorsPlugin'],
    './plugins/health': ['HealthOptionsSchema', 'default', 'healthPlugin'],
    './plugins/input': ['InputOptionsSchema', 'default', 'inputPlugin'],
    './plugins/logging': ['LoggingOptionsSchema', 'default', 'loggingPlugin'],
    './plugins/mail': ['MailOptionsSchema', 'default', 'mailPlugin'],
    './plugins/maintenance': ['MaintenanceOptionsSchema', 'default', 'maintenancePlugin'],
    './plugins/metrics': ['MetricsOptionsSchema', 'default', 'metricsPlugin'],
    './plugins/output': ['default', 'outputPlugin'],
    './plugins/pages': ['PagesOptionsSchema', 'default', 'pagesPlugin'],
    './plugins/passwords': ['PasswordsOptionsSchema', 'default', 'passwordsPlugin'],
    './plugins/rate-limit': ['RateLimitOptionsSchema', 'default', 'rateLimitPlugin'],
    './plugins/security-headers': ['SecurityHeadersOptionsSchema', 'default', 'securityHeadersPlugin'],
    './plugins/use-cases': ['UseCasesOptionsSchema', 'default', 'useCasesPlugin'],
    './plugins/verify': ['CodedError', 'VerifyOptionsSchema', 'default', 'verifyPlugin'],
    './plugins/webhooks': ['WebhooksOptionsSchema', 'default', 'webhooksPlugin']
  })
})

t.test('every dependency is pinned exactly, peers are ranges', async t => {
  for (const group of ['dependencies', 'optionalDependencies', 'devDependencies']) {
    for (const [name, version] of Object.entries(manifest[group])) t.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${group} ${name}`)
  }
  t.same(Object.keys(manifest.peerDependencies), ['@sinclair/typebox', 'fastify'])
})

t.test('docs/reference/errors.md is what the catalogue says (else: npm run docs:generate)', async t => {
  t.equal(await readFile(join(packageRoot, 'docs/reference/errors.md'), 'utf8'), renderErrorReference())
  t.ok(Object.values(errorCatalogue).every(({ status }) => status >= 400 && status < 600))
})
