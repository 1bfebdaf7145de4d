import type { TSchema } from '@sinclair/typebox'
import { LoginResultSchema, TokenPairSchema } from './token.ts'
import { UserSchema } from './user.ts'

/** Schemas that responses refer to by name; they become the components of the OpenAPI document. */
export const sharedSchemas: readonly TSchema[] = [UserSchema, TokenPairSchema, LoginResultSchema]
