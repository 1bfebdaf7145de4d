/** What the benchmarks use of autocannon, which brings no types. */
declare module 'autocannon' {
  interface Request { method?: string, path?: string, headers?: Record<string, string>, body?: string }
  interface Result {
    /** Seconds. */
    duration: number
    '2xx': number
    non2xx: number
    /** Connections that failed and answers that did not come in time. */
    errors: number
    statusCodeStats: Record<string, { count: number }>
  }
  interface Options<Context extends object> {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    /** Milliseconds between two looks at whether the time is over. */
    sampleInt: number
    /** Seconds. */
    timeout: number
    maxOverallRequests?: number
    requests: Array<{
      setupRequest (request: Request, context: Partial<Context>): Request
      onResponse (status: number, body: string, context: Partial<Context>): void
    }>
  }
  export default function autocannon<Context extends object> (options: Options<Context>): Promise<Result>
}
