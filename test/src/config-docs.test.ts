import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { renderConfigurationReference, renderEnvExample } from '../../src/config/docs.ts'
import { settings } from '../../src/config/settings.ts'
import { packageRoot } from '../../src/package-root.ts'

const read = async (file: string): Promise<string> => await readFile(join(packageRoot, file), 'utf8')

t.test('.env.example is what the declaration says (else: npm run docs:generate)', async t => {
  t.equal(await read('.env.example'), renderEnvExample())
})

t.test('docs/reference/configuration.md is what the declaration says (else: npm run docs:generate)', async t => {
  t.equal(await read('docs/reference/configuration.md'), renderConfigurationReference())
})

t.test('a plain copy of .env.example sets nothing, and its lines are the defaults', async t => {
  t.strictSame(parseEnv(renderEnvExample()), {})
  const lines = parseEnv(renderEnvExample().replaceAll(/^#(?=[A-Z])/gm, ''))
  t.strictSame(Object.keys(lines).sort(), settings.filter(({ processOnly }) => !processOnly).map(({ key }) => key).sort())
  const withDefaults = settings.filter(setting => setting.default !== undefined).map(({ key }) => [key, lines[key]])
  t.strictSame(loadConfig(Object.fromEntries(withDefaults)), loadConfig({}))
  t.ok(loadConfig(lines), 'the examples are acceptable values')
})
