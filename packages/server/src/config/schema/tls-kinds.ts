import { parseClientNames } from '../values/client-names.ts'
import { type PrivateKeyFile, readPrivateKeyFile } from '../values/private-key-file.ts'
import { readTextFile } from '../values/read-text-file.ts'
import type { Kind } from './variable.ts'

/** A file with a private key, read at once. */
export const privateKeyFile: Kind<PrivateKeyFile> = {
  type: () => 'path of a PEM file',
  parse: (path, _, read = readTextFile) => readPrivateKeyFile(path, read),
  format: ({ path }) => path,
}

/** URI and DNS names of client certificates. */
export const clientNames: Kind<readonly string[]> = {
  type: () => 'URI and DNS names separated by commas or blanks',
  parse: parseClientNames,
  format: names => names.join(','),
  isList: true,
}
