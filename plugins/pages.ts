import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { isHeld } from '../src/entity-tag.ts'
import { parseOptions } from '../src/options.ts'
import { loadAssets, type Asset } from '../src/pages/assets.ts'
import { chooseCoding } from '../src/pages/content-coding.ts'
import { pageNames } from '../src/pages/page-kinds.ts'
import { createRenderPage } from '../src/pages/render-page.ts'
import { loadTexts } from '../src/pages/texts.ts'

/** Options of the pages plugin. */
export const PagesOptionsSchema = Type.Object({
  /** Path of the pages below the scope's prefix. */
  path: Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)+$', default: '/pages' }),
  /** Path of the API below the scope's prefix. */
  apiPath: Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)*$', default: '' }),
  /** Fewest characters of a password, as the page tells them. */
  passwordMinLength: Type.Integer({ minimum: 1, default: 8 }),
  /** Strength (0..4, zxcvbn) from which a password is not criticised. */
  passwordMinStrength: Type.Integer({ minimum: 0, maximum: 4, default: 3 })
}, { additionalProperties: false })

export type PagesOptions = Partial<Static<typeof PagesOptionsSchema>>

/** Scripts, styles and calls to where the page came from, and nothing else whatever (CSP Level 3; ASVS 3.4.3). */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Workers have a policy of their own, that of their script, so the assets say it too.
const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }

const yearSeconds = 31_536_000

/** Serves an asset: for good under the name of its release, to be asked again under any other. */
function serveAsset (app: FastifyInstance, url: string, asset: Asset, release: string): void {
  app.get<{ Params: { release: string } }>(url, { schema: { hide: true } }, async (request, reply) => {
    const coding = chooseCoding(request.headers['accept-encoding'])
    const etag = `"${asset.hash}-${coding}"`
    // During an update pages of one release may come to an instance of another.
    const isOurs = request.params.release === release
    reply.headers({ ...headers, etag, vary: 'Accept-Encoding', 'cache-control': isOurs ? `public, max-age=${yearSeconds}, immutable` : 'no-cache' })
    if (isHeld(etag, request.headers['if-none-match'])) return await reply.code(304).send()
    if (coding !== 'identity') reply.header('content-encoding', coding)
    return await reply.type(asset.type).send(await asset.encoded(coding))
  })
}

/**
 * The pages that the links in the mails lead to: verify-email, reset-password, change-email, undo-email-change and
 * invitation. They are static, and know of the token nothing: it stays in the fragment, which their script takes away
 * and posts to the API after a click. Every URL in them is relative, so they work behind any proxy.
 */
async function pages (app: FastifyInstance, options: PagesOptions): Promise<void> {
  const { path, apiPath, passwordMinLength, passwordMinStrength } = parseOptions('pages', PagesOptionsSchema, options)
  const [render, texts, { files, release }] = await Promise.all([createRenderPage(), loadTexts(), loadAssets()])
  const root = '../'.repeat(path.split('/').length - 2) + '..'
  const settings = { texts, api: root + apiPath, assets: `assets/${release}`, minLength: passwordMinLength, minStrength: passwordMinStrength }

  for (const name of pageNames) {
    const html = render(name, settings)
    app.get(`${path}/${name}`, { schema: { hide: true } }, async (_request, reply) => {
      reply.headers({ ...headers, 'cache-control': 'no-store' })
      return await reply.type('text/html; charset=utf-8').send(html)
    })
  }
  for (const asset of files) serveAsset(app, `${path}/assets/:release/${asset.name}`, asset, release)
}

export const pagesPlugin = fp(pages, { name: 'auth-serve-pages', fastify: '5.x' })
export default pagesPlugin
