import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { urlOf } from './database.ts'

/** A TCP proxy in front of the database, so that its outages can be made real. */
export interface DatabaseProxy {
  location: DatabaseLocation
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>
  /** Serves again, at the same address; what was frozen flows on. */
  restore(): Promise<void>
  /** Keeps connections open, takes new ones and passes nothing on, as a network does that lost its way. */
  freeze(): void
  /** Connections that are open. */
  connections(): number
}

function targetOf (location: DatabaseLocation): { path: string } | { host: string, port: number } {
  if (!('url' in location)) return { path: `${location.host}/.s.PGSQL.${location.port}` }
  const url = new URL(location.url)
  return { host: url.hostname, port: Number(url.port === '' ? 5432 : url.port) }
}

/** The same database through the proxy at this port. */
function through (location: DatabaseLocation, port: number): DatabaseLocation {
  if (!('url' in location)) return { ...location, host: '127.0.0.1', port }
  const url = new URL(location.url)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return { url: url.href }
}

/** Is told what one connection sends to the database. */
export type Watch = (chunk: Buffer) => void

/** A URL of the database over TCP, as an operator has one. */
export async function tcpUrlOf (t: Test, location: DatabaseLocation): Promise<string> {
  return 'url' in location ? location.url : urlOf((await createDatabaseProxy(t, location)).location)
}

export async function createDatabaseProxy (t: Test, location: DatabaseLocation, watchConnection?: () => Watch): Promise<DatabaseProxy> {
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer(client => {
    const upstream = connect(targetOf(location))
    const watch = watchConnection?.()
    if (watch !== undefined) client.on('data', watch)
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('data', chunk => { other.write(chunk) })
      if (frozen) socket.pause()
      socket.on('error', () => {})
      socket.on('close', () => { sockets.delete(socket); other.destroy() })
    }
  })
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }
  const port = await listen(0)
  const cut = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  t.teardown(cut)
  return {
    location: through(location, port),
    cut,
    async restore () {
      frozen = false
      for (const socket of sockets) socket.resume()
      if (!server.listening) await listen(port)
    },
    freeze () {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    connections: () => sockets.size / 2
  }
}
