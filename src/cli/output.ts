import { once } from 'node:events'
import type { Output } from './surroundings.ts'

/** Options of every command that has a result. */
export interface OutputOptions { json?: boolean }

/** A line; of stdout where it is the result. */
export const print = (output: Output, line: string): void => { output.write(`${line}\n`) }

export const printJson = (output: Output, value: unknown): void => { print(output, JSON.stringify(value, null, 2)) }

/** Writes a piece of a long result, and waits for a slow reader, so that it does not pile up. Rejects where the stream breaks. */
export async function write (output: Output, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain')
}

/** Characters of a terminal's width that a text takes; wide ones of East Asia are not told apart. */
const widthOf = (text: string): number => [...text].length

/** Rows under a header in columns as wide as need be, two spaces apart; an absent cell is a hyphen. */
export function table (header: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const cells = [header, ...rows.map(row => row.map(cell => cell ?? '-'))]
  const widths = header.map((_name, column) => Math.max(...cells.map(row => widthOf(row[column] ?? ''))))
  const pad = (cell: string, column: number): string => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)))
  return cells.map(row => row.map(pad).join('  ').trimEnd()).join('\n')
}
