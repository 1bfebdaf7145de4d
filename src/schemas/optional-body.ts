import { Type, type ObjectOptions, type TNull, type TObject, type TProperties, type TUnion } from '@sinclair/typebox'
import { StrictObject } from './strict.ts'

/** A body that may be left out; one that is sent takes these properties and no other. */
export function OptionalBody<T extends TProperties> (properties: T, { examples, ...options }: ObjectOptions = {}): TUnion<[TObject<T>, TNull]> {
  return Type.Union([StrictObject(properties, options), Type.Null()], { examples })
}
