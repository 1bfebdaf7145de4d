import { readFile } from 'node:fs/promises'
import { ConfigError } from './config.ts'
import { readPemKeys } from './keys/pem-keys.ts'

/** The texts of JWT_KEY_FILES. Throws ConfigError naming every file that cannot be read or holds no key that we take. */
export async function readKeyFiles (files: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  const read = await Promise.all(files.map(async file => {
    try {
      return { file, text: await readFile(file, 'utf8') }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
      problems.push(`JWT_KEY_FILES: ${file} cannot be read (${code}): give the path of a PEM file that the service may read`)
      return []
    }
  }))
  const found = read.flat()
  const { problems: refused } = readPemKeys(found.map(({ text }) => text))
  problems.push(...refused.map(({ index, message }) => `JWT_KEY_FILES: ${found[index]?.file} cannot be used: ${message}`))
  if (problems.length > 0) throw new ConfigError(problems)
  return found.map(({ text }) => text)
}
