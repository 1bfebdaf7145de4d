import Bowser from 'bowser'

/** Characters of a user agent that are looked at: as many as are stored. */
const maxUserAgent = 256

/** What may be shown as the name of a program or system; clients call themselves whatever they like. */
const presentable = /^[A-Za-z][\w .+-]{0,39}$/
const product = /^([A-Za-z][\w.+-]{0,39})\//

const named = (name: string | undefined): string | undefined => name !== undefined && presentable.test(name) && name !== 'Mozilla' ? name : undefined

function parse (userAgent: string): { browser?: { name?: string }, os?: { name?: string } } {
  try {
    return Bowser.parse(userAgent)
  } catch {
    return {}
  }
}

/** A short name such as "Firefox on Linux" for the client that calls itself this; null where that says nothing. Never throws. */
export function describeDevice (userAgent: string | null): string | null {
  const text = userAgent?.slice(0, maxUserAgent) ?? ''
  if (text === '') return null
  const { browser, os } = parse(text)
  const program = named(browser?.name) ?? named(product.exec(text)?.[1])
  const system = named(os?.name)
  if (program !== undefined && system !== undefined) return `${program} on ${system}`
  return program ?? system ?? null
}
