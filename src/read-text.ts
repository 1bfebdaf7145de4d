/** The server answered, and not what was asked for. */
export class UnusableAnswerError extends Error {}

/** Reads a body as UTF-8. Throws UnusableAnswerError for one that is larger, and reads no further. */
export async function readText (response: Response, maxBytes: number): Promise<string> {
  const tooLarge = (): UnusableAnswerError => new UnusableAnswerError(`the answer is larger than ${maxBytes} bytes`)
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
