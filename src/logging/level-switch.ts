import type { Logger } from 'pino'

/** Pressed by an operator, as in `kill -USR2 <pid>`; Node keeps SIGUSR1 for its debugger. */
export const levelSignal = 'SIGUSR2'

/**
 * Makes `SIGUSR2` switch a logger, and every logger made from it, between `debug` and the level that it has now.
 * Returns what takes the switch away. close-with-grace takes this signal for an order to stop unless told to skip it.
 */
export function installLevelSwitch (logger: Logger): () => void {
  // Windows has no such signal, and Node no way to listen to it there.
  if (process.platform === 'win32') return () => {}
  const usual = logger.level
  function toggle (): void {
    const before = logger.level
    const level = before === 'debug' ? usual : 'debug'
    // Said while the more talkative of the two levels holds.
    if (level === 'debug') logger.level = level
    logger.info({ before, level }, 'log level changed')
    logger.level = level
  }
  process.on(levelSignal, toggle)
  return () => { process.off(levelSignal, toggle) }
}
