/** A text that the server put into the page, with `{name}` replaced by these values; undefined where there is none. */
export function textOf (name, values = {}) {
  const template = document.querySelector(`template[data-text="${name}"]`)
  return template?.content.textContent.replaceAll(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole)
}

/** A time to wait, in words: seconds, or from two minutes on minutes. */
export function waitOf (seconds) {
  const [count, unit] = seconds < 120 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, unitDisplay: 'long' }).format(count)
}
