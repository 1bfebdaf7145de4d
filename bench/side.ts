import type { ServerProcess } from './server-process.ts'

export interface Session { accessToken: string, refreshToken: string | undefined }

/** A server under measurement with the people that it knows, the tokens that their devices got there, and the sessions that are open. */
export interface Side { name: string, server: ServerProcess, emails: string[], deviceTokens: Map<string, string>, sessions: Session[] }
