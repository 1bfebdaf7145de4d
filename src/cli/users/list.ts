import { once } from 'node:events'
import { Command, InvalidArgumentError, Option } from 'commander'
import { validate } from 'uuid'
import { canonicalEmail } from '../../accounts/email.ts'
import { toUser } from '../../accounts/to-user.ts'
import { createDatabase, type Database } from '../../db/stores.ts'
import type { UserFilter } from '../../db/user-pages.ts'
import type { User } from '../../schemas/user.ts'
import { table, type OutputOptions } from '../output.ts'
import { parseWhole } from '../parse.ts'
import type { Output, Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

interface ListOptions extends OutputOptions { email?: string, role?: string, active?: true, disabled?: true, limit?: number, cursor?: string }

/** People that are held in memory at once. */
const pageSize = 500

interface Page { users: User[], nextCursor: string | null }

/** Reads page after page until there is none, or `limit` people were read. */
async function * readPages ({ users }: Pick<Database, 'users'>, filter: UserFilter, limit: number, cursor: string | undefined): AsyncGenerator<Page> {
  let after = cursor
  for (let left = limit; left > 0;) {
    const size = Math.min(pageSize, left)
    const rows = await users.page(filter, { after, limit: size + 1 })
    const shown = rows.slice(0, size)
    after = rows.length > size ? shown.at(-1)?.id : undefined
    yield { users: shown.map(toUser), nextCursor: after ?? null }
    if (after === undefined) return
    left -= size
  }
}

/** Waits for a slow reader, so that a long list does not pile up. */
const writeTo = (output: Output) => async (text: string): Promise<void> => {
  if (!output.write(text)) await once(output, 'drain')
}

async function writeTable (pages: AsyncIterable<Page>, { stdout, stderr }: Surroundings): Promise<void> {
  const write = writeTo(stdout)
  let isFirst = true
  let next: string | null = null
  for await (const { users, nextCursor } of pages) {
    const text = table(
      ['ID', 'ACTIVE', 'CREATED', 'LAST LOGIN', 'EMAIL', 'ROLES'],
      users.map(user => [user.id, user.isActive ? 'yes' : 'no', user.createdAt, (user.lastLoginAt ?? '-').padEnd(24), user.email, user.roles.join(',')])
    )
    const lines = text.split('\n').slice(isFirst ? 0 : 1)
    await write(`${lines.join('\n')}\n`)
    isFirst = false
    next = nextCursor
  }
  if (next !== null) stderr.write(`There are more: --cursor ${next}\n`)
}

/** A page as the API has it, written as it comes. */
async function writeJson (pages: AsyncIterable<Page>, { stdout }: Surroundings): Promise<void> {
  const write = writeTo(stdout)
  let separator = '\n'
  let next: string | null = null
  await write('{ "items": [')
  for await (const { users, nextCursor } of pages) {
    for (const user of users) {
      await write(`${separator}  ${JSON.stringify(user)}`)
      separator = ',\n'
    }
    next = nextCursor
  }
  await write(`\n], "nextCursor": ${JSON.stringify(next)} }\n`)
}

function parseEmail (text: string): string {
  const canonical = canonicalEmail(text)
  if (canonical === undefined) throw new InvalidArgumentError('Give an e-mail address such as ada@example.com.')
  return canonical
}

function parseCursor (text: string): string {
  if (!validate(text)) throw new InvalidArgumentError('Give the cursor that the page before told.')
  return text
}

export function listCommand (surroundings: Surroundings): Command {
  async function list ({ email, role, active, disabled, limit = Infinity, cursor, json = false }: ListOptions): Promise<void> {
    const isActive = active === true ? true : disabled === true ? false : undefined
    await withDatabase(surroundings, async pool => {
      const pages = readPages(createDatabase(pool), { emailCanonical: email, role, isActive }, limit, cursor)
      await (json ? writeJson : writeTable)(pages, surroundings)
    })
  }

  return new Command('list')
    .description('list people in the order in which they joined')
    .option('--email <address>', 'only the one with this e-mail address', parseEmail)
    .option('--role <role>', 'only who has this role')
    .addOption(new Option('--active', 'only who may sign in').conflicts('disabled'))
    .option('--disabled', 'only who was disabled')
    .option('--limit <number>', 'this many at most; everybody by default', parseWhole(1, 999_999_999))
    .option('--cursor <id>', 'go on after the page that told this', parseCursor)
    .option('--json', 'JSON instead of a table: { items, nextCursor }')
    .action(list)
}
