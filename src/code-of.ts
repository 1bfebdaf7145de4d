/** What the system calls an error, such as ENOENT; where it has no code, the error itself as text. */
export const codeOf = (error: unknown): string => error instanceof Error && 'code' in error ? String(error.code) : String(error)
