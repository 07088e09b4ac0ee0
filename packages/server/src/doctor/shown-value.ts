/** Names, numbers and URLs. Another text could be a secret in the wrong place. */
const nameLike = /^[\w.:/@+=~-]{0,200}$/
const maxListed = 8

/** Shows a value of a JWT or of a file that is a name; never a long or an unusual text. */
export function shownValue(value: unknown): string {
  if (value === undefined) return '(none)'
  if (typeof value !== 'string')
    return typeof value === 'number' ? String(value) : `(${value === null ? 'null' : typeof value})`
  return nameLike.test(value) ? value : `(${value.length} characters that are not a name)`
}

/** Shows a value or a list of them. */
export function shownList(value: unknown): string {
  const values = [value].flat()
  const more = values.length - maxListed
  return `${values.slice(0, maxListed).map(shownValue).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
