// Entries of the changelogs as plain sentences: commits and the versions of sibling packages, which are always the same, tell
// a reader nothing.

function getReleaseLine({ id, summary }) {
  // The description of a package stands for itself; scripts/release/version.mjs removes the heading above it.
  if (id.startsWith('first-release-')) return Promise.resolve(summary)
  const [first, ...rest] = summary.split('\n')
  return Promise.resolve([`- ${first}`, ...rest.map(line => (line ? `  ${line}` : ''))].join('\n'))
}

/** A package whose siblings alone have changed still needs an entry. */
function getDependencyReleaseLine(changesets, dependencies) {
  if (dependencies.length === 0 || changesets.some(({ id }) => id.startsWith('first-release-'))) {
    return Promise.resolve('')
  }
  return Promise.resolve(
    `- Requires ${dependencies.map(({ name, newVersion }) => `${name} ${newVersion}`).join(', ')}.`,
  )
}

// changesets reads it as a default export.
export { getDependencyReleaseLine, getReleaseLine }
