import type { Registry } from 'prom-client'
import type { Breakers } from '../breakers/breakers.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import { addCounter, addGauge } from './read-at-scrape.ts'

export interface ServiceMetricsSources {
  feed: Pick<RevocationFeed, 'state'>
  breakers: Pick<Breakers, 'list'>
  keyRing: Pick<KeyRing, 'tokenCache'>
}

const breakerStates = ['closed', 'open', 'halfOpen'] as const

/** Adds the metrics of the service's own parts to a registry; docs/guides/metrics.md lists them. */
export function addServiceMetrics (registry: Registry, { feed, breakers, keyRing }: ServiceMetricsSources): void {
  const one = (value: number | boolean) => [{ value: Number(value) }]

  addGauge(registry, {
    name: 'auth_serve_revocation_feed_loaded',
    help: 'Whether this process has read the revocations at least once; before that bearer routes answer 503',
    read: () => one(feed.state().loaded)
  })
  addGauge(registry, {
    name: 'auth_serve_revocation_feed_staleness_seconds',
    help: 'For how long this process cannot have heard of a revocation; NaN before the first load',
    read: () => one(feed.state().stalenessSeconds ?? NaN)
  })
  addGauge(registry, {
    name: 'auth_serve_revocation_feed_entries',
    help: 'Ended sessions and changed users that this process holds in memory',
    read: () => one(feed.state().entries)
  })
  addGauge(registry, {
    name: 'auth_serve_revocation_feed_full',
    help: 'Whether more was revoked than this process may hold, so that it asks the database for each token',
    read: () => one(feed.state().full)
  })
  addCounter(registry, {
    name: 'auth_serve_revocation_feed_connections_total',
    help: 'Connections on which this process has listened for revocations, one after another',
    read: () => one(feed.state().connections)
  })

  const perBreaker = (count: 'failureCount' | 'successCount' | 'rejectedCount') => () =>
    breakers.list().map(breaker => ({ labels: { breaker: breaker.name }, value: breaker[count] }))
  addGauge(registry, {
    name: 'auth_serve_breaker_state',
    help: 'State of each circuit breaker: 1 for the one that it is in',
    labelNames: ['breaker', 'state'],
    read: () => breakers.list().flatMap(breaker => breakerStates.map(state => ({ labels: { breaker: breaker.name, state }, value: Number(breaker.state === state) })))
  })
  addCounter(registry, {
    name: 'auth_serve_breaker_failures_total',
    help: 'Calls that the dependency could not serve',
    labelNames: ['breaker'],
    read: perBreaker('failureCount')
  })
  addCounter(registry, {
    name: 'auth_serve_breaker_successes_total',
    help: 'Calls that the dependency answered',
    labelNames: ['breaker'],
    read: perBreaker('successCount')
  })
  addCounter(registry, {
    name: 'auth_serve_breaker_rejections_total',
    help: 'Calls that were refused without being tried',
    labelNames: ['breaker'],
    read: perBreaker('rejectedCount')
  })

  addCounter(registry, {
    name: 'auth_serve_token_cache_hits_total',
    help: 'Access tokens whose signature had been verified before',
    read: () => one(keyRing.tokenCache.hits)
  })
  addCounter(registry, {
    name: 'auth_serve_token_cache_misses_total',
    help: 'Access tokens whose signature had to be verified, also where it was wrong',
    read: () => one(keyRing.tokenCache.misses)
  })
  addGauge(registry, {
    name: 'auth_serve_token_cache_entries',
    help: 'Verified access tokens that this process remembers',
    read: () => one(keyRing.tokenCache.size)
  })
}
