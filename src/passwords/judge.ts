import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english, translations } from '@zxcvbn-ts/language-en'
import { estimation, type Estimation, type EstimationQuestion } from './estimation.ts'
import { fold } from './fold.ts'

// Only estimator-thread.ts loads this, for its memory and time. docs/guides/passwords.md names source and licence of each list.
const passwords = common['passwords-common']

/** Surnames are sorted by frequency; the rare ones cost more memory than they find. */
const surnames = 10_000

/** Number words, months, planets and so on: words that follow one another are worth little more than one. */
const sequences = [
  english['cardinalNumbers-en'], english['ordinalNumbers-en'], english['daysOfWeek-en'],
  english['months-en'], english['seasons-en'], english['timePeriods-en'],
  english['rainbowColors-en'], english['directions-en'], english['intermediateDirections-en'],
  english['sizeProgression-en'], english['militaryAlphabet-en'], english['planets-en'],
  english['zodiacSigns-en'], english['chineseZodiac-en']
].flat()

// Left out: the words of Wikipedia, most of which are among the common ones, and diceware, ranked there by the alphabet.
const estimator = new ZxcvbnFactory({
  dictionary: {
    'passwords-common': passwords,
    'commonWords-en': english['commonWords-en'],
    'firstnames-en': english['firstnames-en'],
    'lastnames-en': english['lastnames-en'].slice(0, surnames),
    // One list and not fourteen, since each costs time with every part of a password; the estimator knows it by this name.
    'cardinalNumbers-en': sequences
  },
  graphs: adjacencyGraphs,
  translations,
  maxLength: 2 * estimation.length,
  l33tMaxSubstitutions: estimation.substitutions
})
const commonPasswords: ReadonlySet<unknown> = new Set(passwords)

/** Judges one password. */
export function judge ({ password, words }: EstimationQuestion): Estimation {
  // The estimator looks words up in a plain object. What every object has must have a rank of its own there.
  const { score, feedback } = estimator.check(password, [...words, 'constructor'])
  const advice = [...feedback.warning === null ? [] : [feedback.warning], ...feedback.suggestions]
  return { common: commonPasswords.has(fold(password)), score, advice }
}
