import t from 'tap'
import { createFetcher } from '../../../src/verify/fetcher.ts'
import { startHttpServer } from '../../helpers/http-server.ts'

t.test('Age of an answer, new or unchanged: 0 without it, and unusable where it is no number of seconds', async t => {
  let age: string | string[] | undefined
  const server = await startHttpServer(t, (request, response) => {
    if (age !== undefined) response.setHeader('age', age)
    if (request.headers['if-none-match'] === undefined) response.setHeader('etag', '"1"').end('{}')
    else response.writeHead(304).end()
  })
  const fetcher = createFetcher({ url: server.url, timeoutMs: 5000, maxBytes: 1000, guard: async call => await call() })
  for (const etag of [undefined, '"1"']) {
    const changed = etag === undefined
    age = undefined
    t.match(await fetcher.get(etag), { changed, ageSeconds: 0 })
    age = '7'
    t.match(await fetcher.get(etag), { changed, ageSeconds: 7 })
    for (age of ['', 'old', '-1', '1.5', '0x1', '1000000000', ['0', '0'], '0, 0']) {
      await t.rejects(fetcher.get(etag), { message: /Age/ }, `${String(etag)} ${JSON.stringify(age)}`)
    }
  }
})
