import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import type { PageName } from './page-kinds.ts'

/** Folder of the templates, styles, scripts and texts. */
export const pagesFolder = join(packageRoot, 'pages')

/** Everything that the pages say in one language. */
export interface PageTexts {
  /** BCP 47 tag, for the lang attribute. */
  language: string
  /** The same on all pages. */
  shared: Record<string, string>
  /** What the script says. */
  messages: Record<string, string>
  /** What the estimator of strengths says, by its own keys. */
  advice: Record<string, string>
  pages: Record<PageName, Record<string, string>>
}

/** Reads the language file `pages/texts/<language>.json`. */
export async function loadTexts (language = 'en'): Promise<PageTexts> {
  return JSON.parse(await readFile(join(pagesFolder, 'texts', `${language}.json`), 'utf8'))
}
