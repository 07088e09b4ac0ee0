/** The same as `engines` in package.json, which npm only warns of. */
const needed = { major: 22, minor: 19 }

/**
 * Throws in a Node that is too old, before something fails there for a reason that nobody understands. Does nothing where
 * there is no version of Node to see.
 */
export function assertNodeVersion(version: string | undefined = globalThis.process?.versions?.node): void {
  const [major = 0, minor = 0] = version?.split('.').map(Number) ?? [Number.POSITIVE_INFINITY]
  if (major > needed.major || (major === needed.major && minor >= needed.minor)) return
  throw new Error(
    `@broker/core requires Node.js ${needed.major}.${needed.minor} or later; this is ${version}`,
  )
}
