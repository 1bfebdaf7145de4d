import { writeFile } from 'node:fs/promises'
import { openBench, type Part } from './bench.ts'
import { measureEnumeration } from './enumeration.ts'
import { measureImport } from './import.ts'
import { partNames, readOptions, type PartName } from './options.ts'
import { measurePasswords } from './passwords.ts'
import { measurePropagation } from './propagation.ts'
import { measureRefreshCost } from './refresh-cost.ts'
import { circumstances, toText, type Section } from './report.ts'
import { measureStarts } from './starts.ts'
import { measureStorms } from './storm.ts'
import { measureThroughput } from './throughput.ts'
import { measureUserSearch } from './user-search.ts'
import { measureVerification } from './verification.ts'

/**
 * Measures the built service against a bare app (yardstick.ts) on the same PostgreSQL, hash engine and machine, turn by
 * turn, and some of its mechanisms against doing without: docs/reference/benchmarks.md. No figure makes it fail.
 */
const parts: Record<PartName, Part> = {
  starts: measureStarts,
  operations: measureThroughput,
  storm: measureStorms,
  propagation: measurePropagation,
  refresh: measureRefreshCost,
  verification: measureVerification,
  enumeration: measureEnumeration,
  passwords: measurePasswords,
  import: measureImport,
  'user-search': measureUserSearch
}

const options = readOptions(process.argv.slice(2))
const bench = await openBench(options)
try {
  const sections: Section[] = []
  for (const name of partNames.filter(part => options.only.includes(part))) sections.push(...await parts[name](bench))
  const about = circumstances({ engine: bench.programs.engine, ...options })
  process.stdout.write(`${Object.entries(about).map(([name, value]) => `${name} ${value}`).join(', ')}\n${sections.map(toText).join('')}`)
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ ...about, sections }, null, 2)}\n`)
} finally {
  await bench.close()
}
