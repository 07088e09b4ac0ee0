import { X509Certificate } from 'node:crypto'
import { quoteValue } from './quote-value.ts'
import { maxFileBytes, type ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'

/** A file of trusted certificates and what was in it. */
export interface CaFile {
  readonly path: string
  /** The file's certificates as PEM; whatever else it holds, a private key for example, is left out. */
  readonly certificates: string
}

/** Reads a PEM file that holds at least one certificate; every certificate in it has to be readable. */
export function readCaFile(path: string, read: ReadTextFile): CaFile {
  return { path, certificates: read(path, maxFileBytes, text => certificatesIn(path, text)) }
}

/** The certificates of a text as PEM, one behind the other. Throws a `Refusal` that names the path. */
export function certificatesIn(path: string, text: string): string {
  const blocks = certificateBlocks(text)
  if (blocks.length === 0) throw new Refusal(`${quoteValue(path)} holds no PEM certificate`)
  // A file that is cut off would silently lose the certificates at its end.
  if (blocks.length < text.split(begin).length - 1) {
    throw new Refusal(`${quoteValue(path)} holds a certificate without its END line`)
  }
  blocks.forEach((block, index) => {
    if (!isCertificate(block)) {
      throw new Refusal(`certificate ${index + 1} of ${blocks.length} in ${quoteValue(path)} cannot be read`)
    }
  })
  return `${blocks.join('\n')}\n`
}

/** The PEM blocks of a text that are certificates. In one pass, whatever the text: a pattern would search for each missing END line to the end. */
export function certificateBlocks(text: string): readonly string[] {
  const blocks: string[] = []
  for (let start = text.indexOf(begin); start !== -1; start = text.indexOf(begin, start)) {
    const last = text.indexOf(end, start)
    if (last === -1) break
    blocks.push(text.slice(start, last + end.length))
    start = last + end.length
  }
  return blocks
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}
