import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import { orderedAt } from './addressee.ts'
import type { MailTransport, OutgoingMail } from './outgoing-mail.ts'

/** `<time>-<template>-<id>.eml`, without the colons that some file systems refuse. The same mail has the same name again. */
function fileNameOf ({ messageId, headers }: OutgoingMail): string {
  const id = messageId.slice(1, messageId.indexOf('@'))
  return `${orderedAt(id).toISOString().replaceAll(':', '-')}-${headers['X-Template']}-${id}.eml`
}

/**
 * Writes each mail to a file of its own, which appears as a whole. The files hold live links: they and a folder that is made
 * here are for the owner alone.
 */
export function createFileTransport (directory: string): MailTransport {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows', disableFileAccess: true, disableUrlAccess: true })

  async function write (path: string, content: Buffer | Readable): Promise<void> {
    const file = await open(path, 'wx', 0o600)
    try {
      await writeFile(file, content)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  return {
    async send (mail) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const { message } = await composer.sendMail(mail)
      const temporary = join(directory, `.${randomBytes(8).toString('hex')}.tmp`)
      try {
        await write(temporary, message)
        await rename(temporary, join(directory, fileNameOf(mail)))
      } finally {
        await rm(temporary, { force: true })
      }
    },
    close () { composer.close() }
  }
}
