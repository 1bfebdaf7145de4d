import { readFile } from 'node:fs/promises'
import { ConfigError } from './config.ts'
import { readPemKey } from './keys/algorithms.ts'

/** The texts of JWT_KEY_FILES. Throws ConfigError naming every file that cannot be read or holds no key that we take. */
export async function readKeyFiles (files: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  const texts = await Promise.all(files.map(async file => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      problems.push(`JWT_KEY_FILES: ${file} cannot be read (${error.code}): give the path of a PEM file that the service may read`)
    })
    if (text === undefined) return ''
    try {
      readPemKey(text)
    } catch (error) {
      problems.push(`JWT_KEY_FILES: ${file} cannot be used: ${error instanceof Error ? error.message : 'it is no key'}`)
    }
    return text
  }))
  if (problems.length > 0) throw new ConfigError(problems)
  return texts
}
