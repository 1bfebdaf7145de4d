import { InvalidArgumentError } from 'commander'

/** Reads a whole number from `least` to `most` of the command line. */
export const parseWhole = (least: number, most: number) => (text: string): number => {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
  return value
}
