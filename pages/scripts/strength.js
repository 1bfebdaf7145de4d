/**
 * Estimates strengths in a worker, so that typing stays smooth: at first with the passwords that are common everywhere,
 * then, unless the person saves data, with the much larger English dictionaries, too. `tell` gets each judgement and the
 * password that it is about; of passwords that come faster than judgements only the last is judged.
 */
export function createEstimator (tell) {
  let wanted = ''
  let current

  /** A worker; `ready` is called once it can judge. */
  function start (dictionaries, ready) {
    const worker = new Worker(new URL('./strength-worker.js', import.meta.url), { name: dictionaries })
    let asked
    function ask () {
      if (asked !== undefined || wanted === '') return
      asked = wanted
      worker.postMessage(asked)
    }
    worker.addEventListener('message', ({ data }) => {
      if (data === 'ready') return ready({ worker, ask })
      if (current?.worker !== worker) return
      const password = asked
      asked = undefined
      tell(data, password)
      if (password !== wanted) ask()
    })
  }

  function use (estimator) {
    current?.worker.terminate()
    current = estimator
    current.ask()
  }

  start('common', estimator => {
    use(estimator)
    if (navigator.connection?.saveData !== true) start('english', use)
  })
  return {
    judge (password) {
      wanted = password
      current?.ask()
    }
  }
}
