import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { OsUser } from './os-user.ts'

export interface RunOptions {
  user: OsUser | undefined
  /** Becomes `PGDATA`: pg_ctl would put an option through a shell. */
  dataDirectory?: string
  /** An open file that takes the output, also of the server that outlives the program. Otherwise it is returned. */
  output?: number
}

export interface Finished { code: number | null, output: string }

/** Runs one of PostgreSQL's programs to its end. Rejects when it cannot be executed at all. */
export async function runProgram (file: string, args: string[], { user, dataDirectory, output }: RunOptions): Promise<Finished> {
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...user && { uid: user.uid, gid: user.gid },
      // The service's own directory may be closed to that user, and a server must not pin it.
      cwd: dirname(file),
      // Not the service's environment: it holds secrets, and LC_ALL keeps the messages in English.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', ...dataDirectory && { PGDATA: dataDirectory } },
      stdio: ['ignore', output ?? 'pipe', output ?? 'pipe']
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { text = (text + chunk.toString()).slice(-4000) })
    child.once('error', reject)
    child.once('close', code => { resolve({ code, output: text.trim() }) })
  })
}
