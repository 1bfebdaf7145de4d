import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/package-root.ts'
import { run, startService, temporaryFolder } from './helpers/service.ts'

t.test('the quick start of the README works as written', async t => {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8')
  const [section = ''] = readme.split('\n## ').filter(part => part.startsWith('Quick start'))
  const commands = [...section.matchAll(/```sh\n(.*?)```/gs)].map(match => match[1] ?? '')
  const [start, ...rest] = commands
  t.match(start, /^npm ci && npm start$/m)
  t.match(rest.at(-1), /^npm ci && npm test$/m)
  // The suite itself runs after `npm ci`, which built what `npm start` runs; the port is one that is free here.
  const service = await startService(t, { DATA_DIR: await temporaryFolder(t) }, ['npm', 'start'])
  const script = rest.slice(0, -1).join('\necho\n').replaceAll('http://localhost:3000', service.url)
  const { code, stdout } = await run(['-euc', script], {}, '', 'bash')
  t.equal(code, 0)
  const [registered, me, changed] = stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  t.match(registered, { email: 'ada@example.com', lastLoginAt: null })
  t.match(me, { id: registered.id, lastLoginAt: /Z$/ })
  t.match(changed, { id: registered.id, username: 'ada', firstName: 'Ada' })
  t.equal((await fetch(`${service.url}/docs/`)).status, 200)
})
