import { Agent, request } from 'node:http'
import type { Side } from './side.ts'

/** Sends a POST below the API; answers its status and the time until the answer was here. */
export type Sender = (path: string, payload: object) => Promise<{ status: number | undefined, milliseconds: number }>

/** A client with one connection that stays open. */
export function createSender ({ server: { url } }: Side): { send: Sender, close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const send: Sender = async (path, payload) => await new Promise((resolve, reject) => {
    const body = JSON.stringify(payload)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const begin = performance.now()
    request(new URL(`/api/v1${path}`, url), { method: 'POST', agent, headers }, response => {
      response.resume().on('end', () => { resolve({ status: response.statusCode, milliseconds: performance.now() - begin }) })
    }).on('error', reject).end(body)
  })
  return { send, close: () => { agent.destroy() } }
}
