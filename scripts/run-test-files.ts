import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How one test file ended: `output` is the TAP that it wrote, with what it told on stderr. */
export interface TestFileResult { file: string, passed: boolean, assertions: number, seconds: number, output: string }

export interface TestRun {
  files: string[]
  /** How many run at a time. */
  jobs: number
  /** What Node.js is told before each file. */
  nodeArgs: string[]
  env: NodeJS.ProcessEnv
  /** Seconds after which tap ends a file as failed, telling which test it was; what survives that is killed. */
  timeout: number
  onResult (result: TestFileResult): void
}

const graceSeconds = 15

// The result of a test that holds others ends with its time; it asserts nothing of its own.
const assertion = /^ *(?:not )?ok \d+(?!.* # time=)/gm
const plan = /^1\.\.[1-9]\d*$/m

/** A file passes if it ends by itself with 0 and told to the end what it did: a process that leaves early has no plan. */
async function runFile (file: string, { nodeArgs, env, timeout }: TestRun): Promise<TestFileResult> {
  const began = performance.now()
  const child = spawn(process.execPath, [...nodeArgs, file], {
    env: { ...env, TAP_TIMEOUT: String(timeout) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: (timeout + graceSeconds) * 1000,
    killSignal: 'SIGKILL'
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const [code] = await once(child, 'close')
  return {
    file,
    passed: code === 0 && plan.test(output),
    assertions: output.match(assertion)?.length ?? 0,
    seconds: (performance.now() - began) / 1000,
    output
  }
}

/** Runs test files, each as a process of its own, in the order given. */
export async function runTestFiles (run: TestRun): Promise<TestFileResult[]> {
  const waiting = [...run.files]
  const results: TestFileResult[] = []
  async function work (): Promise<void> {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, run)
      results.push(result)
      run.onResult(result)
    }
  }
  await Promise.all(Array.from({ length: run.jobs }, work))
  return results
}
