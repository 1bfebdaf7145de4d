import type { Server, ServerResponse } from 'node:http'

/** Milliseconds between two looks at what is still in flight. */
const lookEveryMs = 100

/** What ends the connections of a server that has stopped listening. */
export interface Drain {
  /** Ends what keeps the server from closing; `onCut` is told how many requests had to be cut after `graceMs`. Answers what stops it. */
  begin(graceMs: number, onCut: (requests: number) => void): () => void
}

/**
 * Watches the requests that a server has not answered yet. Once begun, connections without a whole request end as soon
 * as nothing is in flight, and everything once the grace is over; Node.js enforces no timeouts of its own by then.
 */
export function createDrain (server: Server): Drain {
  let inFlight = 0
  server.on('request', (_request, response: ServerResponse) => {
    inFlight++
    response.once('close', () => { inFlight-- })
  })
  return {
    begin (graceMs, onCut) {
      const end = performance.now() + graceMs
      let quiet = 0
      const timer = setInterval(() => {
        // Two quiet looks in a row: a request may be on its way on a connection that was just opened.
        quiet = !server.listening && inFlight === 0 ? quiet + 1 : 0
        const late = performance.now() > end
        if (late && inFlight > 0) onCut(inFlight)
        if (late || quiet > 1) server.closeAllConnections()
      }, lookEveryMs)
      return () => { clearInterval(timer) }
    }
  }
}
