import { privateDirectory } from './directories.ts'
import { hasCode } from './errors.ts'

/** Where the daemons of root keep their state: everybody can reach it, only root can write. */
export const daemonDirectory = '/var/lib/auth-serve'

/** Makes that directory; false where the file system does not let root write there (a read-only container). */
export async function makeDaemonDirectory (): Promise<boolean> {
  try {
    await privateDirectory(daemonDirectory, undefined, 0o755)
    return true
  } catch (err) {
    if (hasCode(err, 'EROFS', 'EACCES', 'EPERM', 'ENOENT')) return false
    throw err
  }
}
