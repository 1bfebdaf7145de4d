import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createAccessTokenSigner, createAccessTokenVerifier, type AccessTokenVerifier } from '../src/keys/access-tokens.ts'
import { AlgorithmSchema, generateKeys, type Algorithm } from '../src/keys/algorithms.ts'
import type { Bench } from './bench.ts'
import { runLoad } from './load.ts'
import { prepare, preparePeople, readingProfiles, signingIn } from './population.ts'
import { rowOf, type Row, type Section } from './report.ts'
import { interleave } from './rounds.ts'

/** Different tokens, seen one after another: more than fit into any cache of the processor, fewer than ours holds. */
const tokenCount = 1000
const defaultCacheSize = 10_000
/** Tokens between two looks at the clock. */
const batch = 50
const sessionCount = 50

async function createVerifiers (algorithm: Algorithm): Promise<{ tokens: Buffer[], cached: AccessTokenVerifier, uncached: AccessTokenVerifier }> {
  const parties = { issuer: 'https://bench.example.com', audience: 'bench', clientId: 'bench' }
  const key = { kid: 'bench', algorithm, ...await generateKeys(algorithm) }
  const sign = createAccessTokenSigner(key, parties)
  const now = Math.floor(Date.now() / 1000)
  const tokens = Array.from({ length: tokenCount }, () =>
    Buffer.from(sign({ userId: randomUUID(), sessionId: randomUUID(), authzVersion: 1, roles: ['user'], authTime: now, issuedAt: now, expiresAt: now + 86_400 })))
  const verifier = (cacheSize: number): AccessTokenVerifier => createAccessTokenVerifier([key], { ...parties, now: Date.now, cacheSize })
  return { tokens, cached: verifier(defaultCacheSize), uncached: verifier(0) }
}

/** Each time a token is a new string, as in a request: one that was looked up before would bring its hash along. */
async function verifyFor (verify: AccessTokenVerifier, tokens: readonly Buffer[], seconds: number): Promise<number> {
  const begin = performance.now()
  let count = 0
  for (; performance.now() - begin < seconds * 1000; count += batch) {
    for (let i = 0; i < batch; i++) {
      if (verify(tokens[(count + i) % tokens.length]?.toString('latin1') ?? '') === undefined) throw new Error('a token was not recognised')
    }
    await nextTurn()
  }
  return count / (performance.now() - begin) * 1000
}

async function measureAlgorithm (algorithm: Algorithm, { rounds, seconds }: Bench['options']): Promise<Row> {
  const { tokens, cached, uncached } = await createVerifiers(algorithm)
  const [ours = [], theirs = []] = await interleave([cached, uncached], rounds, async (verify, counted) => await verifyFor(verify, tokens, counted ? seconds : 1))
  return rowOf(`verify ${algorithm}, one thread`, 'tokens/s', '', ours, theirs)
}

/** The same by HTTP: two processes on one database, so that one's sessions are the other's, too. */
async function measureRequests ({ programs, options, start }: Bench): Promise<Row[]> {
  const cached = await start('service', programs.service)
  const uncached = await start('service without cache', { ...programs.service, env: { ...programs.service.env, TOKEN_CACHE_SIZE: '0' } })
  await preparePeople(cached)
  await prepare(cached, signingIn(cached), sessionCount)
  const { connections, rounds, seconds } = options
  const [ours = [], theirs = []] = await interleave([cached, uncached], rounds, async (side, counted) =>
    await runLoad(side, readingProfiles(cached.sessions), { connections, seconds: counted ? seconds : 1 }))
  for (const side of [cached, uncached]) await side.server.stop()
  return [
    rowOf('GET /users/me', 'answers/s', '', ours.map(turn => turn.perSecond), theirs.map(turn => turn.perSecond)),
    rowOf('GET /users/me', 'CPU ms/answer', '', ours.map(turn => turn.cpuMsPerAnswer), theirs.map(turn => turn.cpuMsPerAnswer))
  ]
}

/** Measures what remembering verified tokens gains. */
export async function measureVerification (bench: Bench): Promise<Section[]> {
  const rows: Row[] = []
  for (const { const: algorithm } of AlgorithmSchema.anyOf) {
    bench.note(`verification of ${algorithm} tokens`)
    rows.push(await measureAlgorithm(algorithm, bench.options))
  }
  bench.note('GET /users/me with and without the cache of verified tokens')
  rows.push(...await measureRequests(bench))
  return [{ title: 'Verification with and without the cache of verified tokens', against: ['cached', 'uncached'], rows }]
}
