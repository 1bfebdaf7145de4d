const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What must not stay behind, the newest last. */
const leftovers: (() => Promise<void>)[] = []
let interrupted = false

/** Removes what must not stay behind, before the process ends in the middle of a command. */
export async function tidyUp (): Promise<void> {
  interrupted = true
  for (const tidy of leftovers.toReversed()) await tidy().catch(() => {})
}

/** Ends the process as the signal would have, once everything is tidy; a second signal does not wait for that. */
async function onSignal (signal: NodeJS.Signals): Promise<void> {
  for (const name of signals) process.removeListener(name, onSignal)
  await tidyUp()
  process.kill(process.pid, signal)
}

/** True once something ends the command from outside: what fails then fails for that. */
export const isInterrupted = (): boolean => interrupted

/** Does the work, and then `tidy`, also where a signal ends the process before (Ctrl-C). `tidy` may be called twice. */
export async function tidyAfter<T> (tidy: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  if (leftovers.length === 0) for (const name of signals) process.on(name, onSignal)
  leftovers.push(tidy)
  try {
    return await work()
  } finally {
    await tidy()
    leftovers.splice(leftovers.indexOf(tidy), 1)
    if (leftovers.length === 0) for (const name of signals) process.removeListener(name, onSignal)
  }
}
