import { Type, type TArray, type TNull, type TObject, type TSchema, type TString, type TUnion } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'

export type TPage<T extends TSchema> = TObject<{ items: TArray<T>, nextCursor: TUnion<[TString, TNull]> }>

/** One page of a list; every list of the API has this shape. */
export function Page<T extends TSchema> (item: T, description: string): TPage<T> {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Nullable(Type.String({ description: 'Opaque; null on the last page' }))
  }, { description })
}
