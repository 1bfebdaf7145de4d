import { textOf } from './texts.js'

/** Milliseconds without a key before a screen reader is told of the strength. */
const quietMs = 400

/** The button that shows what is typed; it is hidden again when it is sent. */
function addReveal (input) {
  const button = document.getElementById('reveal')
  const status = document.getElementById('revealed')
  function reveal (shown) {
    input.type = shown ? 'text' : 'password'
    button.textContent = shown ? button.dataset.conceal : button.dataset.reveal
    button.setAttribute('aria-label', shown ? button.dataset.concealLabel : button.dataset.revealLabel)
  }
  button.addEventListener('click', () => {
    reveal(input.type === 'password')
    status.textContent = textOf(input.type === 'password' ? 'concealed' : 'revealed')
  })
  input.form.addEventListener('sending', () => reveal(false))
}

/** What a judgement says in words: how strong it is and, where that is not enough, why and what helps. */
function describe ({ score, feedback }, { value, dataset: { minLength, minStrength } }) {
  const strength = textOf('strength', { strength: textOf(`strength-${score}`) })
  const short = [...value.normalize('NFC')].length < Number(minLength) ? [textOf('too-short', { minLength })] : []
  if (score >= Number(minStrength)) return [strength, ...short].join(' ')
  const advice = [feedback.warning, ...feedback.suggestions].map(key => textOf(key)).filter(text => text !== undefined)
  return [...new Set([strength, ...short, ...advice.slice(0, 2)])].join(' ')
}

/** Live feedback on the strength. The estimator is loaded when typing begins; without it the server alone judges. */
function addStrength (input) {
  const bar = document.querySelector('.strength')
  const advice = document.getElementById('advice')
  let estimator
  let quiet

  function tell (judgement) {
    bar.dataset.score = String(judgement.score)
    clearTimeout(quiet)
    quiet = setTimeout(() => { advice.textContent = describe(judgement, input) }, quietMs)
  }
  function clear () {
    clearTimeout(quiet)
    bar.dataset.score = ''
    advice.textContent = ''
  }
  input.addEventListener('input', async () => {
    if (input.value === '') clear()
    estimator ??= import('./strength.js').then(({ createEstimator }) => createEstimator((judgement, password) => { if (password === input.value) tell(judgement) }))
    try {
      (await estimator).judge(input.value)
    } catch {
      // Not loaded, as when the network is away: the next key tries again.
      estimator = undefined
    }
  })
}

/** Everything that helps to choose a password in this field. */
export function addPasswordHelp (input) {
  addReveal(input)
  addStrength(input)
}
