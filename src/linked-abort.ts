/** A controller that aborts together with another signal until it is released. */
export interface LinkedAbort {
  readonly signal: AbortSignal
  abort(reason?: Error): void
  /** Lets go of the other signal. */
  release(): void
}

/**
 * Like AbortSignal.any, which leaves something behind in a signal that lives as long as the process each time that it is
 * called.
 */
export function linkAbort (parent: AbortSignal): LinkedAbort {
  const controller = new AbortController()
  const follow = (): void => { controller.abort(parent.reason) }
  if (parent.aborted) follow()
  else parent.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    abort: reason => { controller.abort(reason) },
    release: () => { parent.removeEventListener('abort', follow) }
  }
}
