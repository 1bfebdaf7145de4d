import type { Watch } from './proxy.ts'

/** What applications send to PostgreSQL, read off the wire (frontend messages of protocol version 3). */
export interface StatementLog {
  /** Watches one more connection. */
  watchConnection: () => Watch
  /** The text of every statement that a connection of the pool ran since the last call. */
  take (): string[]
}

const text = (message: Buffer, start: number): string => message.toString('utf8', start, message.indexOf(0, start))

export function createStatementLog (): StatementLog {
  let statements: string[] = []

  function watchConnection (): Watch {
    const prepared = new Map<string, string>()
    let pending = Buffer.alloc(0)
    let started = false
    let ofThePool = false

    function read (type: string, body: Buffer): void {
      const run = (statement: string): void => { if (ofThePool) statements.push(statement) }
      if (type === 'Q') return run(text(body, 0))
      const name = text(body, 0)
      const next = Buffer.byteLength(name) + 1
      if (type === 'P') prepared.set(name, text(body, next))
      // Bound to the portal of this name: the statement of the other one is run.
      if (type === 'B') run(prepared.get(text(body, next)) ?? 'unknown')
    }

    return chunk => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        // The first message of a connection has no type.
        const header = started ? 1 : 0
        if (pending.length < header + 4) return
        const end = header + pending.readInt32BE(header)
        if (pending.length < end) return
        const body = pending.subarray(header + 4, end)
        if (started) read(String.fromCharCode(pending[0] ?? 0), body)
        else ofThePool = body.includes('application_name\0auth-serve\0')
        started = true
        pending = pending.subarray(end)
      }
    }
  }

  return {
    watchConnection,
    take () {
      const taken = statements
      statements = []
      return taken
    }
  }
}
