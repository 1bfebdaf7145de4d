/** Makes a page of the rows that a store was asked for: one more than the page may hold, which tells whether there is another. */
export function toPage<Row, Item> (rows: readonly Row[], limit: number, toItem: (row: Row) => Item, cursorAfter: (row: Row) => string): { items: Item[], nextCursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(toItem), nextCursor: rows.length > limit && last !== undefined ? cursorAfter(last) : null }
}
