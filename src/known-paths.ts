import findMyWay, { type HTTPMethod } from 'find-my-way'

/** The paths that a scope serves, by method, as the router of Fastify would match them. */
export interface KnownPaths {
  add(methods: string | readonly string[], pattern: string): void
  /** Methods that this path (without query) is served under, sorted; empty for an unknown path. */
  methodsOf(path: string): string[]
}

const isMethod = (method: string): method is HTTPMethod => /^[A-Z][A-Z-]*$/.test(method)

export function createKnownPaths (): KnownPaths {
  const router = findMyWay()
  const known = new Set<HTTPMethod>()
  return {
    add (methods, pattern) {
      for (const method of [methods].flat()) {
        if (!isMethod(method) || router.hasRoute(method, pattern)) continue
        router.on(method, pattern, () => {})
        known.add(method)
      }
    },
    methodsOf: path => [...known].filter(method => router.find(method, path) !== null).sort()
  }
}
