/** A span of time for people, in its two largest units, without fractions: `3 s`, `4 min`, `2 h 10 min`, `3 d 4 h`. */
export function elapsedText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return withRest(hours, 'h', minutes % 60, 'min')
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h')

  // Within, because the source of this function is sent to browsers.
  function withRest(count: number, unit: string, rest: number, restUnit: string): string {
    return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${restUnit}`
  }
}
