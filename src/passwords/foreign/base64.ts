import { encodeUnpadded } from '../phc.ts'

/** Bytes of canonical base64 without padding; undefined for other text and for lengths outside the bounds. */
export function decodeBytes (text: string | undefined, least: number, most: number): Buffer | undefined {
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  return encodeUnpadded(bytes) === text && bytes.length >= least && bytes.length <= most ? bytes : undefined
}

/** The canonical spelling, without padding, of base64 in its usual dialects: padded, web-safe, or passlib's with dots. */
export const canonicalBase64 = (text: string): string =>
  text.replace(/={1,2}$/, '').replaceAll('-', '+').replaceAll('.', '+').replaceAll('_', '/')

export const encodePadded = (bytes: Buffer): string => bytes.toString('base64')

/** Like {@link decodeBytes}, of canonical base64 with padding. */
export function decodePadded (text: string | undefined, least: number, most: number): Buffer | undefined {
  if (text === undefined || text.length % 4 !== 0) return undefined
  return decodeBytes(text.replace(/={1,2}$/, ''), least, most)
}
