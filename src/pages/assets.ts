import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { ContentCoding } from './content-coding.ts'
import { pagesFolder } from './texts.ts'

/** A file that the pages load. */
export interface Asset {
  name: string
  type: string
  content: Buffer
  /** SHA-256 of the content. */
  hash: string
  /** The content in this coding, made when it is first asked for. */
  encoded(coding: ContentCoding): Promise<Buffer>
}

export interface Assets {
  files: Asset[]
  /** Changes whenever one of the files does. */
  release: string
}

const require = createRequire(import.meta.url)
const script = (name: string): string => join(pagesFolder, 'scripts', name)

/** The builds for browsers of the estimator that judges passwords on the server, too. */
const paths: Record<string, string> = {
  'style.css': join(pagesFolder, 'style.css'),
  ...Object.fromEntries(['page.js', 'form.js', 'post.js', 'texts.js', 'password.js', 'strength.js', 'strength-worker.js'].map(name => [name, script(name)])),
  'zxcvbn-core.js': require.resolve('@zxcvbn-ts/core/dist/zxcvbn-ts.js'),
  'zxcvbn-common.js': require.resolve('@zxcvbn-ts/language-common/dist/zxcvbn-ts.js'),
  'zxcvbn-english.js': require.resolve('@zxcvbn-ts/language-en/dist/zxcvbn-ts.js')
}

const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

const coders: Record<ContentCoding, (content: Buffer) => Promise<Buffer>> = {
  identity: async content => content,
  gzip: async content => await toGzip(content),
  // More would take seconds of a core for the large ones, and save a twentieth.
  br: async content => await toBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
}

const hashOf = (content: Buffer | string): string => createHash('sha256').update(content).digest('base64url').slice(0, 22)

async function loadAsset (name: string, path: string): Promise<Asset> {
  const content = await readFile(path)
  const done = new Map<ContentCoding, Promise<Buffer>>()
  return {
    name,
    type: name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
    content,
    hash: hashOf(content),
    async encoded (coding) {
      const encoding = done.get(coding) ?? coders[coding](content)
      done.set(coding, encoding)
      return await encoding
    }
  }
}

/** Reads every file that the pages load, those of the estimator from its packages. */
export async function loadAssets (): Promise<Assets> {
  const files = await Promise.all(Object.entries(paths).map(async ([name, path]) => await loadAsset(name, path)))
  return { files, release: hashOf(files.map(({ hash }) => hash).join()) }
}
