/** The version in `engines` of package.json, about which npm only warns. */
const needed = { major: 22, minor: 19 }

/**
 * Throws an `Error` when Node is too old, before something fails with a message that does not say so. Does nothing in a
 * runtime that reports no Node version.
 */
export function assertNodeVersion(version: string | undefined = globalThis.process?.versions?.node): void {
  const [major = 0, minor = 0] = version?.split('.').map(Number) ?? [Number.POSITIVE_INFINITY]
  if (major > needed.major || (major === needed.major && minor >= needed.minor)) return
  throw new Error(
    `@broker/core requires Node.js ${needed.major}.${needed.minor} or later; this is ${version}`,
  )
}
