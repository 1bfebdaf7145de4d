import { Type } from '@sinclair/typebox'
import { AlgorithmSchema } from '../keys/algorithms.ts'
import { RevocationOptionsSchema } from '../revocation/options.ts'

/** What decides how access tokens are made and judged; properties of a plugin's options. */
export const tokenOptions = {
  /** AUTH_SECRET: newest first; the first makes ciphertexts and MACs, all are accepted. */
  secrets: Type.Array(Type.String({ minLength: 32 }), { minItems: 1 }),
  issuer: Type.String({ minLength: 1 }),
  audience: Type.String({ minLength: 1, default: 'auth-serve' }),
  clientId: Type.String({ minLength: 1, default: 'auth-serve' }),
  /** What new keys are for: ES256, EdDSA (Ed25519) or RS256 (3072 bit). A change makes a new key at the next start. */
  algorithm: AlgorithmSchema,
  /** Seconds between the publication of a key that was asked for and its first use. */
  keyActivationSeconds: Type.Integer({ minimum: 0, maximum: 86_400, default: 5 }),
  /** Days after which a key is followed by a new one; 0 for never. The job of maintenance makes it so. */
  keyRotationDays: Type.Integer({ minimum: 0, maximum: 3650, default: 90 }),
  /**
   * Keys in PEM that are managed outside. The first private one signs, and then the service makes none; all verify:
   * change by `old,new`, then `new,old`, then `new`. Public ones alone verify beside the keys that the service makes.
   */
  keys: Type.Array(Type.String(), { default: [] }),
  /** Life of the access tokens that are issued, in seconds. */
  accessTtlSeconds: Type.Integer({ minimum: 5, maximum: 86_400, default: 900 }),
  /** Verified tokens that are remembered, so that each signature is computed once; 0 remembers none. */
  tokenCacheSize: Type.Integer({ minimum: 0, maximum: 10_000_000, default: 10_000 }),
  revocation: RevocationOptionsSchema,
  /** Milliseconds between two readings of the keys that tokens of an unknown key may cause. */
  keyReloadIntervalMs: Type.Integer({ minimum: 100, default: 5000 })
}
