/** The configuration cannot be used. `problems` names each wrong key and what to write instead; never a secret value. */
export class ConfigError extends Error {
  readonly problems: string[]

  constructor (problems: string[]) {
    super(['The configuration cannot be used:', ...problems.map(problem => `- ${problem}`)].join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}
