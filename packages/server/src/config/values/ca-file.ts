import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/** A file of trusted certificates and what was in it. */
export interface CaFile {
  readonly path: string
  /** The file's certificates as PEM; whatever else it holds, a private key for example, is left out. */
  readonly certificates: string
}

/** Reads a PEM file that holds at least one certificate; every certificate in it has to be readable. */
export function readCaFile(path: string): CaFile {
  const blocks = textOf(path).match(certificatePattern) ?? []
  if (blocks.length === 0) throw new Refusal(`${quoteValue(path)} holds no PEM certificate`)
  blocks.forEach((block, index) => {
    if (!isCertificate(block)) {
      throw new Refusal(`certificate ${index + 1} of ${blocks.length} in ${quoteValue(path)} cannot be read`)
    }
  })
  return { path, certificates: `${blocks.join('\n')}\n` }
}

function textOf(path: string): string {
  try {
    // A directory or a named pipe is rejected first: reading the latter would wait for ever.
    if (!statSync(path).isFile()) throw new Refusal(`${quoteValue(path)} is not a file`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Refusal) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new Refusal(`${quoteValue(path)} does not exist`)
    throw new Refusal(`${quoteValue(path)} cannot be read (${code ?? 'unknown error'})`)
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
