/** Longest text from outside that a mail shows. */
const maxLength = 200

/** Text as one short line: no line breaks, no control characters, and none that turn the direction of what follows. */
export function oneLine (text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, ' ').trim()
  const characters = [...line]
  return characters.length > maxLength ? `${characters.slice(0, maxLength - 1).join('')}…` : line
}
