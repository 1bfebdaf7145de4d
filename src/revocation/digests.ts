import { hash } from 'node:crypto'

/** Characters of a digest: 132 bits of SHA-256 in base64url. */
export const digestLength = 22

const digest = (text: string): string => hash('sha256', text, 'base64url').slice(0, digestLength)

/** What stands for a session where its id must not be told. */
export const sessionDigest = (sessionId: string): string => digest(`session:${sessionId}`)

/** What stands for a user where their id must not be told. */
export const userDigest = (userId: string): string => digest(`user:${userId}`)
