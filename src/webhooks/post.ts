import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { lookupPublic, problemOfTarget, TargetRefusedError } from './target.ts'

/** What a receiver answered, apart from what it said. */
export interface Answer { status: number, retryAfterSeconds: number | undefined }

/** POSTs a text. Throws TargetRefusedError for where it must not go, and whatever Node.js throws. Redirects are answers. */
export type Post = (url: string, headers: Record<string, string>, body: string) => Promise<Answer>

/** Bytes of an answer that are read, so that the receiver can end it in peace; what they say is of no interest. */
const maxAnswerBytes = 65_536

// Of our own, so that neither a proxy of the environment nor a kept connection stands between the check and the request.
const plain = new HttpAgent({ keepAlive: false })
const secure = new HttpsAgent({ keepAlive: false })

function drain (response: IncomingMessage): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) response.destroy()
  })
}

function answerOf ({ statusCode = 0, headers }: IncomingMessage): Answer {
  const wait = headers['retry-after'] ?? ''
  return { status: statusCode, retryAfterSeconds: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined }
}

/** Each request takes `timeoutMs` at most. Without `allowPrivate` only https and public addresses are reached. */
export function createPost ({ timeoutMs, allowPrivate }: { timeoutMs: number, allowPrivate: boolean }): Post {
  return async (url, headers, body) => {
    if (problemOfTarget(url, allowPrivate) !== undefined) throw new TargetRefusedError('the URL is not allowed')
    const target = new URL(url)
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      lookup: allowPrivate ? undefined : lookupPublic,
      signal: AbortSignal.timeout(timeoutMs)
    }
    return await new Promise((resolve, reject) => {
      let answer: Answer | undefined
      // Once it is known what the receiver answered, how the connection ended does not matter.
      const settle = (error: Error): void => { if (answer === undefined) reject(error); else resolve(answer) }
      const request = target.protocol === 'https:'
        ? requestHttps(target, { ...options, agent: secure })
        : requestHttp(target, { ...options, agent: plain })
      request.on('response', response => {
        answer = answerOf(response)
        response.on('error', settle)
        drain(response)
      })
      request.on('error', settle)
      request.on('close', () => { settle(new Error('the connection ended without an answer')) })
      request.end(body)
    })
  }
}
