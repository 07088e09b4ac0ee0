import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** The parts of Node's own handle of a socket that tell where its bytes go. */
interface SocketHandle {
  readonly fd?: number
  /** Bytes that wait for room in the buffer of the system. */
  readonly writeQueueSize?: number
}

/**
 * Writes a few bytes past the HTTP/2 session of a socket, if nothing waits before them and the system takes all of them now. Returns whether
 * it did. Never uses the write of the socket: Node's session aborts the process when a write that it did not begin ends later than at once.
 *
 * Throws when the system took only a part, after which the connection is not usable, and when the connection is broken.
 */
export function writeAtOnce(socket: Socket, bytes: Buffer): boolean {
  const handle = (socket as Socket & { readonly _handle?: SocketHandle | null })._handle
  if (handle?.fd === undefined || handle.fd < 0 || handle.writeQueueSize !== 0) return false
  try {
    if (writeSync(handle.fd, bytes) === bytes.length) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
    throw error
  }
  throw new Error('only a part was written')
}
