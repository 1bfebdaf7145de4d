import { dirname, join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Bench } from './bench.ts'
import { distributionOf, type Distribution, type Section } from './report.ts'

const context = { email: 'ada.lovelace@example.com', username: 'countess', firstName: 'Ada', lastName: 'Lovelace' }

/** What takes longest: digits that may be dates, words without end, and letters that are spelt as digits and symbols. */
const costly = ['199219921981', 'the of and to password monkey dragon ', 'p4$$w0rd!l0v3y0u', '@4a83e6bgo0', '7295183604'].map(text => text.repeat(12).slice(0, 128))

/** Measures what judging a new password takes, beside its hash and a look-up elsewhere, and what the event loop sees of it. */
export async function measurePasswords ({ options: { service, tries }, note }: Bench): Promise<Section[]> {
  note('judging passwords')
  // The built one: only that has a thread.
  const { createPasswords }: typeof import('../src/passwords/passwords.ts') = await import(join(dirname(service), 'passwords/passwords.js'))
  const passwords = await createPasswords()
  const loop = monitorEventLoopDelay({ resolution: 1 })
  async function judge (measure: string, password: (i: number) => string, count: number): Promise<Distribution> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const begin = performance.now()
      await passwords.check(password(i), '/password', context)
      times.push(performance.now() - begin)
    }
    return distributionOf(measure, times)
  }
  try {
    loop.enable()
    const distributions = [
      await judge('the first, with the start of the thread', () => 'the engine weaves algebra', 1),
      await judge('usual passwords', i => `the engine weaves algebra ${i}`, tries),
      await judge('the costliest', i => costly[i % costly.length] ?? '', tries)
    ]
    return [{ title: 'Judging new passwords', distributions, remark: `The event loop was late by ${(loop.max / 1e6).toFixed(1)} ms at most.` }]
  } finally {
    loop.disable()
    await passwords.close()
  }
}
