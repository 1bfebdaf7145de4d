import { once } from 'node:events'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { simpleParser, type ParsedMail } from 'mailparser'
import type { Test } from 'tap'
import { until } from './until.ts'

/** A mail that a server took: its envelope and what it is. */
export interface TakenMail { to: string, mail: ParsedMail, secure: boolean, user: unknown }

export interface TestSmtpServer {
  port: number
  url: string
  /** What arrived, in its order. */
  mails: TakenMail[]
  /** Waits until as many mails arrived for an address, and answers the last. */
  arrived(address: string, count?: number): Promise<TakenMail>
  /** Connections that were made so far. */
  connections(): number
  stop(): Promise<void>
  /** Serves at the same port as before. */
  start(): Promise<void>
}

export interface SmtpBehaviour extends SMTPServerOptions {
  /** Called with each mail before it is taken; what it throws is the server's answer, and the server waits for it. */
  judge?: (mail: TakenMail) => Promise<void> | void
}

/** An answer of the server's: with `responseCode` 4xx or 5xx. */
export const answer = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** A real SMTP server on this machine, which takes mails for anybody unless it is told otherwise. */
export async function createSmtpServer (t: Test, { judge = () => {}, ...options }: SmtpBehaviour = {}): Promise<TestSmtpServer> {
  const mails: TakenMail[] = []
  let connections = 0
  let server: SMTPServer | undefined
  let port = 0

  async function start (): Promise<void> {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 100,
      ...options,
      onConnect (session, callback) {
        connections++
        if (options.onConnect === undefined) callback()
        else options.onConnect(session, callback)
      },
      onData (stream, { envelope, secure, user }, callback) {
        simpleParser(stream).then(async mail => {
          const taken = { to: envelope.rcptTo[0]?.address ?? '', mail, secure, user }
          await judge(taken)
          mails.push(taken)
        }).then(() => { callback() }, callback)
      }
    })
    server.on('error', () => {})
    server.listen(port, '127.0.0.1')
    await once(server.server, 'listening')
    const address = server.server.address()
    port = typeof address === 'object' && address !== null ? address.port : port
  }

  async function stop (): Promise<void> {
    const closing = server
    server = undefined
    if (closing !== undefined) await new Promise<void>(resolve => { closing.close(resolve) })
  }

  await start()
  t.teardown(stop)
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async arrived (address, count = 1) {
      const ofAddress = () => mails.filter(({ to }) => to === address)
      await until(`${count} mails for ${address}`, () => ofAddress().length >= count)
      const last = ofAddress().at(-1)
      if (last === undefined) throw new Error('there is none')
      return last
    },
    connections: () => connections,
    stop,
    start
  }
}
