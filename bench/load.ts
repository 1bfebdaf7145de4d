import autocannon from 'autocannon'
import type { Side } from './side.ts'

/** A request to send. */
export interface Exchange { method: 'GET' | 'POST', path: string, headers: Record<string, string>, body?: string }

/** What to send over and over, and what to do with the answers. */
export interface Load {
  next: () => Exchange
  onAnswer?: (body: string, exchange: Exchange) => void
  /** Ends the turn early, where no more requests make sense. */
  maxRequests?: number
  /** Answers of these statuses are no failures. */
  tolerated?: readonly number[]
}

export interface Turn {
  perSecond: number
  /** Processor time of the server's process per answer, in milliseconds; NaN where the system does not tell. */
  cpuMsPerAnswer: number
}

/** Sends as much as a number of connections, each with one request at a time, can in some seconds. */
export async function runLoad (side: Side, load: Load, { connections, seconds }: { connections: number, seconds: number }): Promise<Turn> {
  const cpuBefore = await side.server.cpuMs()
  const result = await autocannon<{ exchange: Exchange }>({
    url: side.server.url,
    connections,
    duration: seconds,
    sampleInt: 20,
    timeout: 30,
    ...load.maxRequests !== undefined && { maxOverallRequests: Math.max(connections, load.maxRequests) },
    requests: [{
      setupRequest (request, context) {
        context.exchange = load.next()
        // It writes the length of the body into the headers that it is given.
        return { ...request, ...context.exchange, headers: { ...context.exchange.headers } }
      },
      onResponse (status, body, { exchange }) {
        if (status < 300 && exchange !== undefined) load.onAnswer?.(body, exchange)
      }
    }]
  })
  const cpuAfter = await side.server.cpuMs()
  const answers = Object.entries(result.statusCodeStats)
  const refused = answers.filter(([status]) => Number(status) >= 300 && load.tolerated?.includes(Number(status)) !== true)
  if (refused.length > 0 || result.errors > 0 || result['2xx'] === 0) {
    throw new Error(`${side.name} failed under load: ${JSON.stringify(result.statusCodeStats)}, ${result.errors} connections failed`)
  }
  return {
    perSecond: result['2xx'] / result.duration,
    cpuMsPerAnswer: ((cpuAfter ?? NaN) - (cpuBefore ?? NaN)) / result['2xx']
  }
}
