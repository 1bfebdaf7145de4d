import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Histogram, Registry } from 'prom-client'
import { processRegistry } from '../src/metrics/process-metrics.ts'
import { parseOptions } from '../src/options.ts'

/** Options of the metrics plugin. */
export const MetricsOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeMetrics', minLength: 1 }),
  /** Tell of the process as well: processor time, memory, event loop; false for a host that does. */
  processMetrics: Type.Boolean({ default: true }),
  /** Upper bounds in seconds by which durations of requests are counted. */
  durationBuckets: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
    minItems: 1, maxItems: 50, default: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
  })
}, { additionalProperties: false })

export type MetricsOptions = Partial<Static<typeof MetricsOptionsSchema>>

/** The metrics of a scope. */
export interface Metrics {
  /** Where further ones are registered; it is of this instance alone. */
  readonly registry: Registry
  /** Media type of {@link Metrics.text}. */
  readonly contentType: string
  /** All of them as they stand, in the text format of Prometheus. */
  text(): Promise<string>
}

declare module 'fastify' {
  interface FastifyInstance { authServeMetrics: Metrics }
}

/** Whatever else a client sends is one label: clients must not be able to make time series. */
const methods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'])

/**
 * Measures the requests of a scope by method, pattern of the route and status, and collects what others register.
 * Requests to the host's own routes are not measured, and prom-client's global registry is left alone.
 */
async function metrics (app: FastifyInstance, options: MetricsOptions): Promise<void> {
  const { decorator, processMetrics, durationBuckets } = parseOptions('metrics', MetricsOptionsSchema, options)
  const registry = new Registry()
  const registries = processMetrics ? [registry, processRegistry()] : [registry]
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the arrival of a request until its answer was sent, by method, pattern of the route and status',
    labelNames: ['method', 'route', 'status_code'],
    buckets: durationBuckets.toSorted((a, b) => a - b),
    registers: [registry]
  })
  app.decorate(decorator, {
    registry,
    contentType: registry.contentType,
    text: async () => (await Promise.all(registries.map(async each => await each.metrics()))).join('\n')
  } satisfies Metrics)

  app.addHook('onResponse', (request, reply, done) => {
    durations.observe({
      method: methods.has(request.method) ? request.method : 'other',
      route: request.routeOptions.url ?? 'unknown',
      status_code: reply.statusCode
    }, reply.elapsedTime / 1000)
    done()
  })
}

export const metricsPlugin = fp(metrics, { name: 'auth-serve-metrics', fastify: '5.x' })
export default metricsPlugin
