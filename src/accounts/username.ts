/**
 * The form in which usernames are compared. They are ASCII by their schema, so only A..Z change: the lower case of
 * Unicode would map further letters (the Kelvin sign to "k") onto somebody else's name.
 */
export function canonicalUsername (value: string): string {
  return value.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
