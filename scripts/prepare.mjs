// Builds after an install from a checkout. Packages from the registry ship dist/, and an install without development
// dependencies (NODE_ENV=production) has no compiler: there is nothing to do then, or somebody must know.
import { existsSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

let compiler
try {
  compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
} catch {
  if (!existsSync(new URL('../dist/src/cli.js', import.meta.url))) {
    process.stderr.write('auth-serve: not built, since typescript is not installed; run "npm ci --include=dev" or copy dist/ from a build\n')
  }
}
if (compiler !== undefined) {
  process.exitCode = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { stdio: 'inherit' }).status ?? 1
}
