function freeze<T> (value: T): T {
  if (typeof value !== 'object' || value === null) return value
  Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

/** A copy, of its own for each hook, that cannot be changed, with a signal. */
export function frozen<T extends object> (call: T, signal: AbortSignal): Readonly<T & { signal: AbortSignal }> {
  return Object.freeze({ ...freeze(structuredClone(call)), signal })
}
