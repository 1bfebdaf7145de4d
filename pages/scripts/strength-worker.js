// A classic worker, because the builds of the library for browsers put themselves into its global scope.
/* global zxcvbnts */
importScripts('zxcvbn-core.js', 'zxcvbn-common.js')
if (self.name === 'english') importScripts('zxcvbn-english.js')

const { core, 'language-common': common, 'language-en': english } = zxcvbnts
const estimator = new core.ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english?.dictionary },
  graphs: common.adjacencyGraphs
})
const siteWords = ['auth-serve', location.hostname, ...location.hostname.split('.')]

self.addEventListener('message', ({ data: password }) => {
  const { score, feedback: { warning, suggestions } } = estimator.check(password, siteWords)
  self.postMessage({ score, feedback: { warning, suggestions } })
})
self.postMessage('ready')
