// one-off: profile service under me / login / register load
import { mkdirSync } from 'node:fs'
import { startDatabase } from './database.ts'
import { preparePrograms } from './programs.ts'
import { startServer } from './server-process.ts'
import { runLoad } from './load.ts'
import { prepare, readingProfiles, registering, signingIn } from './population.ts'
const database = await startDatabase()
const programs = await preparePrograms(database, process.argv[2]!)
for (const kind of ['me', 'login']) {
  const dir = `/tmp/bench-w/prof-${kind}`
  mkdirSync(dir, { recursive: true })
  const program = { ...programs.service, file: "--cpu-prof", args: ["--cpu-prof-dir", dir, "--cpu-prof-interval", "500", "--enable-source-maps", programs.service.file, "serve"] }
  const server = await startServer(program)
  const side = { name: 'service', server, emails: [] as string[], sessions: [] as any[] }
  await prepare(side, registering(side), 60)
  await prepare(side, signingIn(side), 30)
  for (let i = 0; i < 2; i++) console.log(kind, await runLoad(side, kind === 'me' ? readingProfiles(side.sessions.slice(0, 30)) : signingIn(side), { connections: 10, seconds: 5 }))
  await server.stop()
}
await programs.close(); await database.close()
