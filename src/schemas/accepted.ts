import { Type, type TObject } from '@sinclair/typebox'

/** The response of an operation whose outcome is told by mail alone: an empty object for everybody. */
export const acceptedResponse = (description: string): TObject<{}> =>
  Type.Object({}, { title: 'Accepted', additionalProperties: false, examples: [{}], 'x-response-description': description })
