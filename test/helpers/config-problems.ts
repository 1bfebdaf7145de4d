import { ConfigError, loadConfig } from '../../src/config.ts'

/** What is wrong with an environment; nothing where it loads. */
export function problemsOf (env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
