// One page: shows what the link in the mail is for, and uses its token once the person says so.
import { createForm } from './form.js'
import { addPasswordHelp } from './password.js'

const main = document.querySelector('main')
const { action, again } = main.dataset
const password = document.getElementById('password')
const email = document.getElementById('email')

/** Lives here only: not in the address, not in the history, not in any storage. */
let token = null

/** Shows the sections of a state and lets a screen reader begin at their heading, unless the page has just been loaded. */
function show (state, { focus = true } = {}) {
  for (const section of document.querySelectorAll('[data-shown]')) section.hidden = !section.dataset.shown.split(' ').includes(state)
  const heading = document.querySelector('section:not([hidden]) h1')
  document.title = heading.textContent
  if (focus) heading.focus()
}

/** Takes the token out of the fragment and the fragment out of the address bar. */
function takeToken () {
  const found = new URLSearchParams(location.hash.slice(1)).get('token')
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search)
  return found === '' ? null : found
}

function settle (state) {
  show(state)
  if (state === 'sent') return
  token = null
  if (password !== null) password.value = ''
}

createForm(document.getElementById('action'), {
  url: action,
  body: () => ({ token, ...password !== null && { password: password.value } }),
  settle
})
if (email !== null) {
  createForm(document.getElementById('again'), { url: again, body: () => ({ email: email.value.trim() }), settle: () => settle('sent') })
}
if (password !== null) addPasswordHelp(password)

// A link that is opened where this page is open already changes the fragment and loads nothing.
window.addEventListener('hashchange', () => {
  const found = takeToken()
  if (found === null) return
  token = found
  show('ready')
})
document.getElementById('site').textContent = location.host
token = takeToken()
show(token === null ? 'missing' : 'ready', { focus: false })
