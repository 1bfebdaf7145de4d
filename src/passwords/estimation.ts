/** How the strength of a password is estimated. */
export const estimation = {
  /**
   * Code points, from the beginning, that are looked at: the work grows faster than the length. Who guesses a password
   * guesses its beginning too, so judging by that alone is never too kind.
   */
  length: 64,
  /** Spellings without substitutions such as "4" for "a" that are tried; the one without any of them is always. */
  substitutions: 5
}

/** A password to be judged, and the words of its account that others would try first. */
export interface EstimationQuestion { password: string, words: string[] }

export interface Estimation {
  /** It is on the list of common passwords, in whatever case. */
  common: boolean
  /** 0 (under 10^3 guesses), 1 (10^6), 2 (10^8), 3 (10^10) or 4. */
  score: number
  /** What makes it weak, and what would make it stronger, in sentences for people. */
  advice: string[]
}
