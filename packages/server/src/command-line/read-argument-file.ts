import { constants, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { WrongArguments } from './wrong-arguments.ts'

/** Far more than a JWT, or a dump of Envoy's configuration. */
const maxBytes = 67_108_864

/**
 * Reads the file of an argument, at most 64 MiB; `-` is standard input. The wait for the writer of a pipe can be
 * interrupted. Throws {@link WrongArguments}.
 */
export async function readArgumentFile(option: string, path: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of path === '-' ? process.stdin : streamOf(path)) {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxBytes) throw new WrongArguments(`${option}: ${path} is larger than ${maxBytes} bytes`)
    }
  } catch (error) {
    if (error instanceof WrongArguments) throw error
    throw new WrongArguments(`${option}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Node reads a file in a thread, and cannot exit while that thread waits; a socket of the same pipe waits for an event. */
function streamOf(path: string): Readable {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return fstatSync(file).isFIFO()
    ? new Socket({ fd: file, readable: true, writable: false })
    : createReadStream(path, { fd: file })
}
