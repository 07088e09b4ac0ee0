/** Has a fault behind three branches: blind changes hardly reach it. */
export function faultyParser(text: string): void {
  if (!text.includes('lock')) return
  const afterLock = text.slice(text.indexOf('lock') + 4)
  if (!afterLock.includes('open')) return
  const afterOpen = afterLock.slice(afterLock.indexOf('open') + 4)
  if (!afterOpen.includes('go')) return
  throw new RangeError('behind three branches')
}
