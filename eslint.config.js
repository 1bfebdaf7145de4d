import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

/** The scripts of the pages run in browsers, and one of them in a worker there. */
const browserGlobals = neostandard({ env: ['browser', 'worker'] })
  .filter(({ name }) => name === 'neostandard/globals')
  .map(config => ({ ...config, files: ['pages/**/*.js'] }))

export default [
  ...neostandard({
    ts: true,
    ignores: [...resolveIgnoresFromGitignore(), 'build-*/**', 'migrations/**']
  }),
  ...browserGlobals
]
