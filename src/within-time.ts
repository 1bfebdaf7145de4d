/** Resolves as `work` does, or rejects once it has taken too long; `work` is told by its signal. */
export async function withinTime<T> (milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`it took longer than ${milliseconds} ms`)
      controller.abort(error)
      reject(error)
    }, milliseconds)
  })
  try {
    return await Promise.race([work(controller.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
