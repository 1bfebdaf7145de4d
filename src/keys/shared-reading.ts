/** Something that is read now and then, by one reading at a time. */
export interface SharedReading<T> {
  /** Joins the reading that is under way, or begins one. */
  join(): Promise<T>
  /** A reading that begins after this call, so that it sees what was committed before. */
  again(): Promise<T>
  /** The newest reading that is under way or about to begin. */
  underWay(): Promise<T> | undefined
  /** Milliseconds since the first of the readings that failed in a row; undefined while the last one succeeded. */
  failingForMs(): number | undefined
}

export function createSharedReading<T> (read: () => Promise<T>): SharedReading<T> {
  let current: Promise<T> | undefined
  let next: Promise<T> | undefined
  let failingSince: number | undefined

  async function attempt (): Promise<T> {
    try {
      const value = await read()
      failingSince = undefined
      return value
    } catch (error) {
      failingSince ??= performance.now()
      throw error
    } finally {
      current = undefined
    }
  }

  async function afterCurrent (before: Promise<T>): Promise<T> {
    await before.catch(() => {})
    next = undefined
    return await join()
  }

  async function join (): Promise<T> {
    current ??= attempt()
    return await current
  }

  async function again (): Promise<T> {
    if (current === undefined) return await join()
    next ??= afterCurrent(current)
    return await next
  }

  return {
    join,
    again,
    underWay: () => next ?? current,
    failingForMs: () => failingSince === undefined ? undefined : performance.now() - failingSince
  }
}

/** Answers true at most once in an interval. */
export function createThrottle (intervalMs: number): () => boolean {
  let last = -Infinity
  return () => {
    const now = performance.now()
    if (now - last < intervalMs) return false
    last = now
    return true
  }
}
