import { Transform } from 'node:stream'

/** The bytes of a file are no text. */
export class NotUtf8 extends Error {
  constructor () { super('it is not UTF-8') }
}

/** Refuses what is not UTF-8, which would be taken for other letters. */
export function utf8 (): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (done: (error: Error | null, text?: string) => void, chunk?: Buffer): void => {
    try {
      done(null, decoder.decode(chunk, { stream: chunk !== undefined }))
    } catch {
      done(new NotUtf8())
    }
  }
  return new Transform({
    decodeStrings: false,
    readableObjectMode: true,
    transform: (chunk: Buffer, _encoding, done) => { decode(done, chunk) },
    flush: done => { decode(done) }
  })
}
