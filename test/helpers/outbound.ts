import { createHook } from 'node:async_hooks'
import { lookup } from 'node:dns'
import { createServer } from 'node:http'
import type { Test } from 'tap'

/** What left this process towards addresses that nobody should ask. */
export interface OutboundWatch {
  urls: string[]
  /** Fails the test if a server was reached or a name was looked up, and if it would not have noticed. */
  check(): Promise<void>
}

/** Hands out addresses, of a server on this machine and of a name that does not exist, and watches both. */
export async function watchOutbound (t: Test): Promise<OutboundWatch> {
  const name = 'keys.attacker.invalid'
  const reached: string[] = []
  const queries: object[] = []
  const server = createServer((_request, response) => { response.end() }).on('connection', () => { reached.push('a connection') })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const hook = createHook({ init (_id, type, _trigger, resource) { if (type === 'GETADDRINFOREQWRAP' || type === 'QUERYWRAP') queries.push(resource) } }).enable()
  t.teardown(() => {
    hook.disable()
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/keys.json`
  const asked = (): unknown[] => queries.flatMap(query => 'hostname' in query ? [query.hostname] : []).filter(host => String(host).includes('attacker'))
  return {
    urls: [url, `https://${name}/keys.json`],
    async check () {
      t.same([...reached, ...asked()], [], 'nothing was asked for keys')
      await fetch(url)
      await new Promise(resolve => { lookup(name, resolve) })
      t.same([...reached, ...asked()], ['a connection', name], 'it would have been noticed')
    }
  }
}
