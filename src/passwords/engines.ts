import * as reference from 'argon2'
import { parseHash, type HashParameters } from './phc.ts'

export type HashEngineChoice = 'auto' | 'argon2' | 'node-rs'

/** An implementation of argon2id. All of them make and read the same PHC strings; both calls work in the libuv pool. */
export interface HashEngine {
  readonly name: 'argon2' | 'node-rs'
  /** A PHC string `$argon2id$v=19$m=..,t=..,p=..$salt$hash` with a new random salt of 16 bytes and a tag of 32. */
  hash(password: string, parameters: HashParameters): Promise<string>
  /**
   * Whether the password made this string. Strings that `parseHash` does not read (malformed, of another algorithm or
   * version, of absurd cost) are answered `false` without work; a rejection means that the work itself failed.
   */
  verify(phc: string, password: string): Promise<boolean>
}

const referenceEngine: HashEngine = {
  name: 'argon2',
  hash: (password, { memoryKib, timeCost, parallelism }) =>
    reference.hash(password, { type: reference.argon2id, memoryCost: memoryKib, timeCost, parallelism }),
  verify: async (phc, password) => parseHash(phc) !== undefined && await reference.verify(phc, password)
}

/** What we use of @node-rs/argon2. Its own types are not imported: the package may be absent when this is compiled. */
interface NodeRsModule {
  hash(password: string, options: { memoryCost: number, timeCost: number, parallelism: number }): Promise<string>
  verify(phc: string, password: string): Promise<boolean>
}

const isNodeRsModule = (module: unknown): module is NodeRsModule =>
  typeof module === 'object' && module !== null &&
  'hash' in module && typeof module.hash === 'function' &&
  'verify' in module && typeof module.verify === 'function'

async function loadNodeRsEngine (specifier: string): Promise<HashEngine> {
  const module: unknown = await import(specifier)
  if (!isNodeRsModule(module)) throw new TypeError(`${specifier} has no hash and verify`)
  return {
    name: 'node-rs',
    // argon2id, version 19, 16 bytes of salt and 32 of tag are its defaults; the vectors in the tests hold it to them.
    hash: (password, { memoryKib, timeCost, parallelism }) =>
      module.hash(password, { memoryCost: memoryKib, timeCost, parallelism }),
    verify: async (phc, password) => parseHash(phc) !== undefined && await module.verify(phc, password)
  }
}

/**
 * Loads the engine: `argon2` is the reference and always there, `node-rs` the faster optional dependency, `auto` the
 * faster one where it loads. docs/decisions/002-hash-engine.md has the reasons.
 *
 * @throws Error when `node-rs` is demanded and does not load.
 */
export async function loadHashEngine (choice: HashEngineChoice, nodeRsPackage = '@node-rs/argon2'): Promise<HashEngine> {
  if (choice === 'argon2') return referenceEngine
  try {
    return await loadNodeRsEngine(nodeRsPackage)
  } catch (error) {
    if (choice === 'auto') return referenceEngine
    throw new Error(`The hash engine node-rs was demanded, but ${nodeRsPackage} does not load: install it with the optional dependencies, or choose auto or argon2.`, { cause: error })
  }
}
