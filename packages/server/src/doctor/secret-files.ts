import { statSync } from 'node:fs'
import path from 'node:path'
import { configSchema, variableNames } from '../config/schema/config-schema.ts'
import type { Variable } from '../config/schema/variable.ts'
import { secretFile } from '../config/schema/variable-kinds.ts'
import { readBytes, readTextFile } from '../config/values/read-text-file.ts'
import { Refusal } from '../config/values/refusal.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { ConfigurationSource } from './configuration.ts'

/** A secret of this product is shorter. */
const maxBytes = 65_536
const byteOrderMark = '\u{feff}'
const writableByOthers = 0o002

interface SecretFile {
  /** The variable, or the place in the configuration file. */
  readonly setting: string
  readonly path: string
}

/** Checks each file with a secret: whether it can be read, and what an editor or a script may have left in it. */
export function checkSecretFiles(source: ConfigurationSource, report: Report): void {
  for (const file of secretFilesOf(source)) checkSecretFile(file, report)
}

function secretFilesOf({ env, reader }: ConfigurationSource): readonly SecretFile[] {
  const file = configFileOf({ env, reader })
  const ofVariables = variableNames
    .filter(name => (configSchema[name] as Variable).kind === secretFile)
    .flatMap(setting => {
      const value = env[setting] || file?.texts[setting]
      return value ? [{ setting, path: value }] : []
    })
  const inFolder = (name: string) => path.resolve(path.dirname(file?.path ?? ''), name)
  const ofClients = (file?.clients ?? []).flatMap(({ definition: { name, clientSecret, authentication } }) =>
    Object.entries({
      clientSecret: clientSecret?.file,
      'authentication.keyFile': authentication?.keyFile,
    }).flatMap(([key, value]) =>
      value === undefined ? [] : [{ setting: `${key} of the client ${name}`, path: inFolder(value) }],
    ),
  )
  return [...ofVariables, ...ofClients]
}

/** `undefined` for a file that cannot be read; the check of the configuration says why. */
function configFileOf({ env: { CONFIG_FILE: file }, reader }: ConfigurationSource) {
  if (!file) return undefined
  try {
    return reader?.read(file, readTextFile)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return undefined
  }
}

function checkSecretFile({ setting, path: file }: SecretFile, report: Report): void {
  let bytes: Buffer
  try {
    bytes = readBytes(file, maxBytes)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const advice = `mount the file, and let the user of the broker (${userText()}) read it: fsGroup in a pod`
    report(failed(setting, error.message, advice))
    return
  }
  const text = bytes.toString('utf8')
  const secret = text.replace(byteOrderMark, '').replace(/\r?\n$/, '')
  if (secret === '') {
    report(failed(setting, `${file} is empty`, 'write the secret into the file'))
    return
  }
  const oddities = odditiesOf(text, secret, statSync(file).mode)
  if (oddities.length === 0) report(ok(setting, `${file} is readable`))
  for (const { fact, advice } of oddities) report(warning(setting, `${file} ${fact}`, advice))
}

function odditiesOf(text: string, secret: string, mode: number): readonly { fact: string; advice: string }[] {
  const oddities: { fact: string; advice: string }[] = []
  if (/^\s|\s$/.test(secret)) {
    oddities.push({
      fact: 'begins or ends with a blank or a further line break, which counts as a part of the secret',
      advice: 'write the secret with printf %s, without blanks around it',
    })
  }
  if (text.endsWith('\r\n')) {
    oddities.push({
      fact: 'ends with a Windows line break; the broker ignores it, Dex and other readers may not',
      advice: 'write the file without a line break at its end',
    })
  }
  if (text.startsWith(byteOrderMark)) {
    oddities.push({
      fact: 'begins with a byte order mark; the broker ignores it, Dex and other readers may not',
      advice: 'save the file as UTF-8 without a byte order mark',
    })
  }
  if ((mode & writableByOthers) !== 0) {
    oddities.push({ fact: 'can be written by every user', advice: 'remove the permission: chmod o-w' })
  }
  return oddities
}

function userText(): string {
  const id = process.getuid?.()
  return id === undefined ? 'this process' : `uid ${id}`
}
