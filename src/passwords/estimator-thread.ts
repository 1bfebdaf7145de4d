import { parentPort } from 'node:worker_threads'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english, translations } from '@zxcvbn-ts/language-en'
import { estimation, type Estimation, type EstimationQuestion } from './estimation.ts'
import { fold } from './fold.ts'

// Runs in a thread of its own, started by estimator.ts. docs/guides/passwords.md names source and licence of each list.
const passwords = common['passwords-common']

/** Surnames are sorted by frequency; the rare ones cost more memory than they find. */
const surnames = 10_000

// Left out: sequences of number words and the like, which the words find too, and which made each look-up four times
// dearer; the words of Wikipedia, most of which are among the common ones; and diceware, ranked there by the alphabet.
const estimator = new ZxcvbnFactory({
  dictionary: {
    'passwords-common': passwords,
    'commonWords-en': english['commonWords-en'],
    'firstnames-en': english['firstnames-en'],
    'lastnames-en': english['lastnames-en'].slice(0, surnames)
  },
  graphs: adjacencyGraphs,
  translations,
  maxLength: 2 * estimation.length,
  l33tMaxSubstitutions: estimation.substitutions
})
const commonPasswords: ReadonlySet<unknown> = new Set(passwords)

function answer ({ password, words }: EstimationQuestion): Estimation {
  // The estimator looks words up in a plain object. What every object has must have a rank of its own there.
  const { score, feedback } = estimator.check(password, [...words, 'constructor'])
  const advice = [...feedback.warning === null ? [] : [feedback.warning], ...feedback.suggestions]
  return { common: commonPasswords.has(fold(password)), score, advice }
}

parentPort?.on('message', (question: EstimationQuestion) => { parentPort?.postMessage(answer(question)) })
