import type { ServerProcess } from './server-process.ts'

export interface Session { accessToken: string, refreshToken: string | undefined }

/** A server under measurement with the people that it knows and the sessions that are open there. */
export interface Side { name: string, server: ServerProcess, emails: string[], sessions: Session[] }
