// A classic worker, because the builds of the library for browsers put themselves into its global scope.
/* global zxcvbnts */
importScripts('zxcvbn-core.js', 'zxcvbn-common.js')
if (self.name === 'english') importScripts('zxcvbn-english.js')

const { core, 'language-common': common, 'language-en': english } = zxcvbnts

// Lists and bounds are those of the server (src/passwords/estimation.ts and estimator-thread.ts), so that both judge alike.
const length = 64
const estimator = new core.ZxcvbnFactory({
  dictionary: {
    'passwords-common': common.dictionary['passwords-common'],
    ...english !== undefined && {
      'commonWords-en': english.dictionary['commonWords-en'],
      'firstnames-en': english.dictionary['firstnames-en'],
      'lastnames-en': english.dictionary['lastnames-en'].slice(0, 10_000)
    }
  },
  graphs: common.adjacencyGraphs,
  maxLength: 2 * length,
  l33tMaxSubstitutions: 5
})

self.addEventListener('message', ({ data: password }) => {
  const beginning = [...password.normalize('NFC')].slice(0, length).join('')
  // The library looks words up in a plain object, which has a "constructor" without a rank.
  const { score, feedback: { warning, suggestions } } = estimator.check(beginning, ['constructor'])
  self.postMessage({ score, feedback: { warning, suggestions } })
})
self.postMessage('ready')
