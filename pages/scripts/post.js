const timeoutMs = 30_000

const troubles = { 429: 'limited', 503: 'busy' }

async function problemOf (response) {
  try {
    return await response.json()
  } catch {
    return {}
  }
}

/** Errors that belong to what was typed, by the id of the field. */
function fieldErrors ({ errors = [] }) {
  const typed = errors.filter(({ path }) => path === '/body/password' || path === '/body/email')
  return typed.map(({ path, message }) => ({ field: path.slice('/body/'.length), message }))
}

/**
 * Sends JSON to the API. Answers `{ state }` when it is settled (`done`, `invalid` link, `conflict`), `{ errors }` when
 * what was typed has to be changed, and `{ trouble }` when the same may be tried again.
 */
export async function post (url, body) {
  let response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(timeoutMs)
    })
  } catch {
    return { trouble: navigator.onLine ? 'unreachable' : 'offline' }
  }
  if (response.ok) return { state: 'done' }
  const problem = await problemOf(response)
  if (problem.code === 'ACTION_TOKEN_INVALID') return { state: 'invalid' }
  if (response.status === 409) return { state: 'conflict' }
  if (problem.code === 'INVALID_INPUT') {
    const errors = fieldErrors(problem)
    return errors.length > 0 ? { errors } : { state: 'invalid' }
  }
  return {
    trouble: troubles[response.status] ?? 'unexpected',
    waitSeconds: Number(response.headers.get('retry-after')) || 1,
    reference: response.headers.get('x-request-id') ?? String(response.status)
  }
}
