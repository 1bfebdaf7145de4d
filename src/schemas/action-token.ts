import { Type, type TString } from '@sinclair/typebox'

/** A token that came by mail, as it is sent in a body. What is no token is answered as one that is not good. */
export const ActionToken = (): TString => Type.String({
  'x-sensitive': true,
  description: 'The token of the link in the mail',
  examples: ['8m0LJ9w2yXq0Zk3v0aQxAZIAAAAAcACAAAAAAAAAAgE']
})
