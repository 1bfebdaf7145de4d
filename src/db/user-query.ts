/** By what people are ordered, `-` for the greatest first. Who never signed in comes before everybody who did. */
export type UserSort = 'createdAt' | '-createdAt' | 'email' | '-email' | 'lastLoginAt' | '-lastLoginAt'

/** A place in an order: what the order is by (null for who never signed in), and whose place it is. */
export interface UserPosition { value: string | null, id: string }

/** Who is listed: every filter that is given must hold. */
export interface UserQuery {
  /** The whole address, in canonical form. */
  email?: string
  /** Part of an e-mail address, a username or a name; without an index of trigrams the beginning of one. */
  search?: string
  role?: string
  isActive?: boolean
  sort: UserSort
  after?: UserPosition
  limit: number
}
