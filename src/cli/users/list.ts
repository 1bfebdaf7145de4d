import { Command, Option } from 'commander'
import { createFieldRules } from '../../admin/field-rules.ts'
import { createListUsers, type ListUsers } from '../../admin/list-users.ts'
import { readRoles } from '../../config/role-definitions.ts'
import { createDatabase } from '../../db/stores.ts'
import { CodedError } from '../../errors.ts'
import { createRoles } from '../../roles/roles.ts'
import type { UserListQuery } from '../../schemas/user-admin.ts'
import { misuse } from '../exit.ts'
import { table, write, type OutputOptions } from '../output.ts'
import { parseWhole } from '../parse.ts'
import { secretsOf } from '../secrets.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

interface ListOptions extends OutputOptions { email?: string, search?: string, role?: string, active?: true, disabled?: true, limit?: number, cursor?: string }

/** People that are held in memory at once. */
const pageSize = 200

type Page = Awaited<ReturnType<ListUsers>>

/** What the API answers to a wrong query, the command line tells as a wrong command. */
function asMisuse (error: unknown): never {
  if (!(error instanceof CodedError) || error.code !== 'INVALID_INPUT') throw error
  throw misuse((error.errors ?? []).map(({ path, message }) => `--${path.replace('/query/', '')}: ${message}`).join(' '))
}

/** Reads page after page until there is none, or `limit` people were read. */
async function * readPages (listUsers: ListUsers, filter: Pick<UserListQuery, 'email' | 'search' | 'role' | 'isActive'>, limit: number, cursor: string | undefined): AsyncGenerator<Page> {
  let after = cursor
  for (let left = limit; left > 0; left -= pageSize) {
    const page = await listUsers({ ...filter, sort: 'createdAt', limit: Math.min(pageSize, left), cursor: after }).catch(asMisuse)
    yield page
    if (page.nextCursor === null) return
    after = page.nextCursor
  }
}

async function writeTable (pages: AsyncIterable<Page>, { stdout, stderr }: Surroundings): Promise<void> {
  let isFirst = true
  let next: string | null = null
  for await (const { items, nextCursor } of pages) {
    const text = table(
      ['ID', 'ACTIVE', 'CREATED', 'LAST LOGIN', 'EMAIL', 'ROLES'],
      items.map(user => [user.id, user.isActive ? 'yes' : 'no', user.createdAt, (user.lastLoginAt ?? '-').padEnd(24), user.email, user.roles.join(',')])
    )
    const lines = text.split('\n').slice(isFirst ? 0 : 1)
    await write(stdout, `${lines.join('\n')}\n`)
    isFirst = false
    next = nextCursor
  }
  if (next !== null) stderr.write(`There are more: --cursor ${next}\n`)
}

/** A page as the API has it, written as it comes. */
async function writeJson (pages: AsyncIterable<Page>, { stdout }: Surroundings): Promise<void> {
  // Begun with the first person: where nothing could be read, nothing is written.
  let [before, end] = ['{ "items": [\n', '{ "items": []']
  let next: string | null = null
  for await (const { items, nextCursor } of pages) {
    for (const user of items) {
      await write(stdout, `${before}  ${JSON.stringify(user)}`);
      [before, end] = [',\n', '\n]']
    }
    next = nextCursor
  }
  await write(stdout, `${end}, "nextCursor": ${JSON.stringify(next)} }\n`)
}

export function listCommand (surroundings: Surroundings): Command {
  async function list ({ email, search, role, active, disabled, limit = Infinity, cursor, json = false }: ListOptions): Promise<void> {
    const isActive = active === true ? true : disabled === true ? false : undefined
    await withDatabase(surroundings, async (pool, config) => {
      const rules = createFieldRules(createRoles(readRoles(config.accounts.roles)))
      const listUsers = createListUsers({ database: createDatabase(pool), secrets: await secretsOf(config), rules })
      const pages = readPages(listUsers, { email, search, role, isActive }, limit, cursor)
      await (json ? writeJson : writeTable)(pages, surroundings)
    })
  }

  return new Command('list')
    .description('list people in the order in which they joined')
    .option('--email <address>', 'only the one with this e-mail address')
    .option('--search <text>', 'only whose address, username or name has this in it')
    .option('--role <role>', 'only who has this role')
    .addOption(new Option('--active', 'only who may sign in').conflicts('disabled'))
    .option('--disabled', 'only who was disabled')
    .option('--limit <number>', 'this many at most; everybody by default', parseWhole(1, 999_999_999))
    .option('--cursor <cursor>', 'go on after the page that told this')
    .option('--json', 'JSON instead of a table: { items, nextCursor }')
    .action(list)
}
