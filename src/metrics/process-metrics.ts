import { collectDefaultMetrics, Registry } from 'prom-client'

let registry: Registry | undefined

/**
 * Processor time, memory, event loop and garbage collection of this process: one registry for all instances in it, since
 * what prom-client observes them with is never ended. It is not prom-client's global one, which belongs to the host.
 */
export function processRegistry (): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}
