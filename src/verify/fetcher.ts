import { readText, UnusableAnswerError } from '../read-text.ts'

/** What the server answered: something new, or (304) what it answered before. */
export type Fetched =
  | { changed: true, body: unknown, etag: string | undefined, ageSeconds: number }
  | { changed: false, ageSeconds: number }

export interface FetcherOptions {
  url: string
  timeoutMs: number
  maxBytes: number
  /** Runs each call: a circuit breaker. */
  guard: <T>(call: () => Promise<T>) => Promise<T>
}

/** Reads one JSON document again and again, each time within bounds. */
export interface Fetcher {
  /** With an entity tag, asks whether anything changed (RFC 9110, 13.1.2). Rejects with whatever went wrong. */
  get(etag: string | undefined): Promise<Fetched>
  /** Ends what is under way. */
  close(): void
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The message of JSON.parse repeats the text.
    throw new UnusableAnswerError('the answer is not JSON')
  }
}

/** Seconds (RFC 9111, 5.1). Throws UnusableAnswerError for what is none: how old the answer is cannot be known then. */
function ageOf (response: Response): number {
  const age = response.headers.get('age')
  if (age === null) return 0
  if (!/^\d{1,9}$/.test(age)) throw new UnusableAnswerError('the header Age of the answer is no number of seconds')
  return Number(age)
}

async function fetchOnce ({ url, maxBytes }: FetcherOptions, etag: string | undefined, signal: AbortSignal): Promise<Fetched> {
  const response = await fetch(url, {
    signal,
    // Whoever could redirect us could give us keys.
    redirect: 'error',
    // No socket stays open between two readings.
    headers: { accept: 'application/json', connection: 'close', ...etag === undefined ? {} : { 'if-none-match': etag } }
  })
  if (response.status === 304 && etag !== undefined) return { changed: false, ageSeconds: ageOf(response) }
  if (response.status !== 200) throw new UnusableAnswerError(`the answer has status ${response.status}`)
  const ageSeconds = ageOf(response)
  const body = parseJson(await readText(response, maxBytes))
  return { changed: true, body, etag: response.headers.get('etag') ?? undefined, ageSeconds }
}

export function createFetcher (options: FetcherOptions): Fetcher {
  const underWay = new Set<AbortController>()
  let closed = false

  async function call (etag: string | undefined): Promise<Fetched> {
    if (closed) throw new Error('closed')
    const controller = new AbortController()
    const timer = setTimeout(() => { controller.abort(new UnusableAnswerError(`no answer within ${options.timeoutMs} ms`)) }, options.timeoutMs)
    underWay.add(controller)
    try {
      return await fetchOnce(options, etag, controller.signal)
    } finally {
      clearTimeout(timer)
      underWay.delete(controller)
      // Whatever of the answer was not read is not waited for.
      controller.abort()
    }
  }

  return {
    get: async etag => await options.guard(async () => await call(etag)),
    close () {
      closed = true
      for (const controller of underWay) controller.abort()
    }
  }
}
