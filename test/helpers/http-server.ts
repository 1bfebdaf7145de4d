import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { TestApp } from './app.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** An HTTP server of one test that can be away, hang, or answer something else. */
export interface HttpServer {
  url: string
  /** Requests that it got so far. */
  count(): number
  /** What it answers from now on. */
  answer(handler: Handler): void
  /** Ends it with every connection, and refuses new ones. */
  stop(): Promise<void>
  /** Starts it again, at the same port. */
  start(): Promise<void>
}

export async function startHttpServer (t: Test, first: Handler): Promise<HttpServer> {
  let handler = first
  let count = 0
  const server = createServer((request, response) => {
    count++
    handler(request, response)
  })
  let port = 0
  async function start (): Promise<void> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address !== null) port = address.port
  }
  async function stop (): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  t.teardown(stop)
  await start()
  return { url: `http://127.0.0.1:${port}`, count: () => count, answer: next => { handler = next }, start, stop }
}

/** Answers what the service answers. */
export function relay (api: TestApp): Handler {
  return (request, response) => {
    const { 'if-none-match': tag } = request.headers
    api.app.inject({ method: 'GET', url: request.url ?? '/', headers: tag === undefined ? {} : { 'if-none-match': tag } }).then(({ statusCode, headers, rawPayload }) => {
      response.writeHead(statusCode, headers).end(rawPayload)
    }, () => { response.destroy() })
  }
}

/** The service behind a server that can be away. */
export async function startIssuer (t: Test, api: TestApp): Promise<HttpServer> {
  return await startHttpServer(t, relay(api))
}
