import { generateKeyPairSync, type KeyObject } from 'node:crypto'

export interface Pair { publicKey: KeyObject, privateKey: KeyObject }

export const p256 = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const ed25519 = (): Pair => generateKeyPairSync('ed25519')
export const rsa = (modulusLength = 3072): Pair => generateKeyPairSync('rsa', { modulusLength })

/** PKCS #8, which is what every kind of private key can be written in. */
export const privatePem = ({ privateKey }: Pair, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): string => privateKey.export({ format: 'pem', type }).toString()

export const publicPem = ({ publicKey }: Pair): string => publicKey.export({ format: 'pem', type: 'spki' }).toString()

export const encryptedPem = ({ privateKey }: Pair): string => privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'a passphrase' }).toString()
