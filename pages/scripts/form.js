import { post } from './post.js'
import { textOf, waitOf } from './texts.js'

function showErrors (input, messages) {
  const list = document.getElementById(`${input.id}-error`)
  list.replaceChildren(...messages.map(message => Object.assign(document.createElement('li'), { textContent: message })))
  if (messages.length > 0) input.setAttribute('aria-invalid', 'true')
  else input.removeAttribute('aria-invalid')
}

/**
 * Sends `body()` to the API when the form is submitted, once at a time. What can be put right is told in the form, which
 * keeps what was typed: at the field, which gets the focus, or beside the button. Anything else goes to `settle`.
 */
export function createForm (form, { url, body, settle }) {
  const inputs = [...form.querySelectorAll('input')]
  const button = form.querySelector('button.main')
  const trouble = form.querySelector('.trouble')
  const progress = form.querySelector('.progress')
  let isBusy = false

  function setBusy (busy) {
    isBusy = busy
    // Not `disabled`, which would take the focus away from whoever pressed it by key.
    button.setAttribute('aria-disabled', String(busy))
    progress.textContent = busy ? textOf('working') : ''
  }

  function refuse (errors) {
    for (const input of inputs) showErrors(input, errors.filter(({ field }) => field === input.id).map(({ message }) => message))
    inputs.find(({ id }) => errors.some(({ field }) => field === id))?.focus()
  }

  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (isBusy) return
    trouble.textContent = ''
    const empty = inputs.filter(({ value }) => value === '')
    refuse(empty.map(({ id }) => ({ field: id, message: textOf(`${id}-required`) })))
    if (empty.length > 0) return
    setBusy(true)
    form.dispatchEvent(new Event('sending'))
    const { state, errors = [], trouble: kind, waitSeconds, reference } = await post(url, body())
    setBusy(false)
    refuse(errors)
    if (kind !== undefined) trouble.textContent = textOf(kind, { wait: waitOf(waitSeconds ?? 1), reference })
    if (state !== undefined) settle(state)
  })
}
