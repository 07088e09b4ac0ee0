import { readFileSync } from 'node:fs'
import path from 'node:path'

const declaration = /^export (?:declare )?(?:abstract )?(function|class|interface|type|const|enum) ([\w$]+)/
const member = /^ {4}(?:(?:static|readonly|abstract|override|get|set) )*(\[[^\]]+\]|[\w$]+|'[^']+')\??[:(<]/
/** Nobody sees these: the name shows the type only. */
const hidden = /^ {4}(?:private|protected) |^ {4}#private/

/**
 * The exported names of a package that have no doc comment, as `Broker` or `Broker.getToken`. Reads the `.d.ts` files that the entry
 * points in `exports` of its manifest lead to, in the layout of the compiler: one member a line, its doc comment above it.
 *
 * A member without one is documented by the interface or class that its own one extends or implements, as editors show it. Names of
 * other packages are their own matter.
 */
export function undocumentedExports(folder, manifest, read = file => readFileSync(file, 'utf8')) {
  const files = new DeclarationFiles(read)
  const entries = Object.values(manifest.exports ?? {}).flatMap(({ types }) => types ?? [])
  const missing = entries.flatMap(entry => files.exportedFrom(path.join(folder, entry)).flatMap(missingIn))
  return [...new Set(missing)].sort()
}

/** The declarations of `.d.ts` files, each read once. */
class DeclarationFiles {
  #read
  #files = new Map()

  constructor(read) {
    this.#read = read
  }

  /** The declarations that a file exports, also from other files of the package. */
  exportedFrom(file) {
    const { own, reexported } = this.#open(file)
    return [...own.values(), ...reexported.map(each => this.#find(file, each))].filter(Boolean)
  }

  #open(file) {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    const text = this.#read(file)
    const lookUp = name => this.#lookUp(file, name)
    const content = {
      own: declarationsIn(text, lookUp),
      imported: namesFrom(text, 'import'),
      reexported: namesFrom(text, 'export'),
    }
    this.#files.set(file, content)
    return content
  }

  #find(file, { name, from }) {
    if (!from.startsWith('.')) return undefined
    const target = path.join(path.dirname(file), from.replace(/\.(?:ts|js)$/, '.d.ts'))
    return this.#lookUp(target, name)
  }

  #lookUp(file, name) {
    const { own, imported, reexported } = this.#open(file)
    const other = [...reexported, ...imported].find(each => each.as === name)
    return own.get(name) ?? (other && this.#find(file, other))
  }
}

function namesFrom(text, keyword) {
  const lists = text.matchAll(new RegExp(`^${keyword} (?:type )?\\{([^}]*)\\} from '([^']+)'`, 'gm'))
  return [...lists].flatMap(([, list, from]) =>
    list
      .split(',')
      .map(each => each.trim().replace(/^type /, ''))
      .filter(each => each !== '')
      .map(each => {
        const [name, as = name] = each.split(' as ')
        return { name, as, from }
      }),
  )
}

/** The declarations of a file, by name: whether each has a doc comment, its members, and the names that it extends. */
function declarationsIn(text, lookUp) {
  const lines = text.split('\n')
  const found = new Map()
  for (const [index, line] of lines.entries()) {
    const [, kind, name] = declaration.exec(line) ?? []
    if (name === undefined) continue
    const known = found.get(name)
    const isDocumented = hasDoc(lines, index) && (known?.isDocumented ?? true)
    const hasMembers = kind === 'interface' || kind === 'class' || kind === 'type'
    found.set(name, {
      name,
      isDocumented,
      members: hasMembers ? membersAfter(lines, index) : [],
      parents: () => parentsIn(line).map(lookUp).filter(Boolean),
    })
  }
  return found
}

function membersAfter(lines, start) {
  const members = new Map()
  if (!lines[start].endsWith('{')) return []
  for (let index = start + 1; index < lines.length && !/^\}[;]?$/.test(lines[index]); index += 1) {
    const [, name] = hidden.test(lines[index]) ? [] : (member.exec(lines[index]) ?? [])
    if (name === undefined) continue
    // A getter and its setter, or overloads: one comment is enough where the first one has it.
    if (!members.has(name)) members.set(name, hasDoc(lines, index))
  }
  return [...members].map(([name, isDocumented]) => ({ name, isDocumented }))
}

/** The names after `extends` and `implements`, also inside `Omit`, `Pick` and `Partial`. */
function parentsIn(line) {
  const heritage =
    /\b(?:extends|implements) (.+) \{$/.exec(line.replace(/<[^<>]* extends [^<>]*>/, ''))?.[1] ?? ''
  return heritage.match(/[\w$]+/g) ?? []
}

function hasDoc(lines, index) {
  return lines[index - 1]?.trimEnd().endsWith('*/') ?? false
}

function missingIn({ name, isDocumented, members, parents }) {
  const undocumented = members.filter(each => !each.isDocumented && !isInherited(each.name, parents()))
  return [...(isDocumented ? [] : [name]), ...undocumented.map(each => `${name}.${each.name}`)]
}

function isInherited(memberName, parents) {
  return parents.some(
    ({ members, parents: further }) =>
      members.some(({ name, isDocumented }) => name === memberName && isDocumented) ||
      isInherited(memberName, further()),
  )
}
