import { Type, type ObjectOptions, type TObject, type TProperties } from '@sinclair/typebox'

/** An object that takes the properties named here and refuses every other one. */
export function StrictObject<T extends TProperties> (properties: T, options: ObjectOptions = {}): TObject<T> {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

/**
 * Options for a StrictObject of which exactly one of these optional properties must be sent:
 * `StrictObject({ email: Type.Optional(Email()), username: ... }, exactlyOneOf('email', 'username'))`.
 * Neither or both is told as `exactly_one` at each of them.
 */
export function exactlyOneOf (...names: string[]): ObjectOptions {
  return { oneOf: names.map(name => ({ required: [name] })) }
}
