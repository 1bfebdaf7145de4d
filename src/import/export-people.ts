import type { Database } from '../db/stores.ts'

/** People of a page. */
const pageSize = 1000

export interface ExportOptions {
  withHashes: boolean
  /** Takes the lines of a page; the next one is read once it resolves. */
  write: (text: string) => Promise<void>
  onProgress: (people: number) => void
}

/**
 * Writes everybody who was not deleted as JSON lines which {@link readNdjson} reads, in the order of their ids, as they
 * are at one moment. Answers how many.
 */
export async function exportPeople (database: Database, { withHashes, write, onProgress }: ExportOptions): Promise<number> {
  return await database.transaction(async ({ userExport }) => {
    await userExport.freeze()
    let count = 0
    let after: string | undefined
    do {
      const page = await userExport.page(after, pageSize)
      if (page.length > 0) await write(page.map(person => `${JSON.stringify(withHashes ? person : { ...person, passwordHash: undefined })}\n`).join(''))
      count += page.length
      after = page.length < pageSize ? undefined : page.at(-1)?.id
      onProgress(count)
    } while (after !== undefined)
    return count
  })
}
