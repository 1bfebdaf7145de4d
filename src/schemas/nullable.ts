import { Type, type TNull, type TSchema, type TUnion } from '@sinclair/typebox'

/** A value that may be `null`: unset in an answer, cleared in a PATCH. */
export function Nullable<T extends TSchema> (schema: T): TUnion<[T, TNull]> {
  return Type.Union([schema, Type.Null()])
}
