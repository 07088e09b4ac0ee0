/** Limit of bytes read from an unwanted answer; beyond it a new connection is cheaper. */
export const maxDrainedBytes: number = 64 * 1024
/** Limit of the wait for an unwanted answer, in milliseconds. */
export const maxDrainMs = 1000

/** Reads the rest of an unwanted response, so that its connection can be reused; never rejects. */
export async function drainResponse({ body }: Response): Promise<void> {
  if (body === null) return
  const reader = body.getReader()
  const cancel = () => reader.cancel().catch(() => {})
  const timer = setTimeout(cancel, maxDrainMs)
  try {
    let bytes = 0
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.byteLength
      if (bytes > maxDrainedBytes) await cancel()
    }
  } catch {
    // A broken connection needs no more reading.
  } finally {
    clearTimeout(timer)
  }
}
