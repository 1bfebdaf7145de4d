import { port } from './socket-directory.ts'

/** Who may connect: on the unix socket, with a password; nobody over TCP. */
export const clientAuthentication = 'local all all scram-sha-256\n'

/** `postgresql.conf`: the settings that follow the place are made anew at each start; ALTER SYSTEM overrides them. */
export const includeSettings = "include '../server.conf'\n"

/** The server's settings. Without `fsync` a crash of the machine may lose or break the data: for tests only. */
export function serverSettings (socketDirectory: string, fsync: boolean): string {
  const settings = {
    listen_addresses: '',
    port,
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    max_connections: 100,
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    // What people typed must not reach a log: DETAIL quotes key values, statements quote literals.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    cluster_name: 'auth-serve',
    ...!fsync && { fsync: 'off', full_page_writes: 'off' }
  }
  return Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`).join('')
}
