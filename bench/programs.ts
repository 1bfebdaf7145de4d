import { randomBytes } from 'node:crypto'
import { readFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import typescript from 'typescript'
import { loadHashEngine } from '../src/passwords/engines.ts'
import type { BenchDatabase } from './database.ts'
import { root } from './options.ts'
import type { Program } from './server-process.ts'

/** Who is measured: the service, the yardstick on the same hash engine, and one on the reference engine; `folder` is for what they write. */
export interface Programs { service: Program, yardstick: Program, reference: Program | undefined, engine: string, folder: string }

/** Everybody's programs, in a folder of their own that `close` removes. */
export async function preparePrograms (database: BenchDatabase, service: string): Promise<Programs & { close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-serve-bench-'))
  const yardstick = await compileYardstick(folder)
  const engine = (await loadHashEngine('auto')).name
  const programOf = async (name: string, file: string, args: string[], env: Record<string, string>): Promise<Program> =>
    ({ file, args, env: { ...await database.environment(name), ...env }, output: join(folder, `${name}.log`) })
  return {
    engine,
    folder,
    service: await programOf('service', service, ['serve'], {
      AUTH_SECRET: randomBytes(32).toString('hex'),
      HASH_ENGINE: engine,
      // Otherwise it would be the address of each process, and two would not take one another's tokens.
      JWT_ISSUER: 'https://bench.example.com',
      LOG_LEVEL: 'info',
      RATE_LIMIT_ENABLED: 'false'
    }),
    yardstick: await programOf('yardstick', yardstick, [], { HASH_PACKAGE: engine === 'node-rs' ? '@node-rs/argon2' : 'argon2' }),
    reference: engine === 'node-rs' ? await programOf('reference', yardstick, [], { HASH_PACKAGE: 'argon2' }) : undefined,
    close: async () => { await rm(folder, { recursive: true, force: true }) }
  }
}

/** Makes plain JavaScript of the yardstick: a loader of TypeScript in its process would cost it memory and start time. */
async function compileYardstick (folder: string): Promise<string> {
  const { ESNext } = typescript.ModuleKind
  const { outputText } = typescript.transpileModule(await readFile(join(import.meta.dirname, 'yardstick.ts'), 'utf8'), {
    compilerOptions: { module: ESNext, target: typescript.ScriptTarget.ES2022, verbatimModuleSyntax: true }
  })
  const file = join(folder, 'yardstick.mjs')
  await writeFile(file, outputText)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return file
}
