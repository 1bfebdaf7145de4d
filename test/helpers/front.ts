import { text } from 'node:stream/consumers'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { startHttpServer } from './http-server.ts'

/** A request as it went over the wire. */
export interface SeenRequest { method: string, url: string, headers: IncomingMessage['headers'], body: string }

/** A proxy that has the service under a path of its own, and sees what comes. */
export interface Front {
  /** Where the service is, for its `publicUrl`. */
  url: string
  /** What came so far. */
  seen: SeenRequest[]
  /** The service that stands behind it from now on. */
  serve(app: FastifyInstance): void
}

const path = '/behind/a/path'

export async function startFront (t: Test): Promise<Front> {
  const server = await startHttpServer(t, (_request, response) => { response.destroy() })
  const seen: SeenRequest[] = []
  async function pass (app: FastifyInstance, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '', headers } = request
    const body = await text(request)
    seen.push({ method, url, headers, body })
    if (!url.startsWith(path)) {
      response.writeHead(404).end()
      return
    }
    const answer = await app.inject({ method: method === 'POST' ? 'POST' : 'GET', url: url.slice(path.length), headers, ...body !== '' && { payload: body } })
    response.writeHead(answer.statusCode, answer.headers).end(answer.rawPayload)
  }
  return {
    url: server.url + path,
    seen,
    serve: app => { server.answer((request, response) => { pass(app, request, response).catch(() => { response.destroy() }) }) }
  }
}
