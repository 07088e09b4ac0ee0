/** More than this is not read of an answer that nobody wants, in bytes: a new connection is cheaper. */
export const maxDrainedBytes: number = 64 * 1024
/** Nor is it waited for any longer, in milliseconds. */
export const maxDrainMs = 1000

/** Reads the rest of a response that nobody wants, so that its connection can be used again; never rejects. */
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
    // A connection that broke is drained too.
  } finally {
    clearTimeout(timer)
  }
}
