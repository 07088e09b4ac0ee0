import { variableGroups } from '../../packages/server/src/config/schema/variable-groups.ts'
import { wrapWords } from '../../packages/server/src/config/wrap-words.ts'

const introduction = `# Generated from the server's configuration schema: change the schema, not this file.
# Every variable is optional. Those with a default are shown with it.
# docs/configuration.md explains how values are written.`

/** The text of .env.example: every variable commented out, with its default or else an example. */
export function envExample(): string {
  const groups = variableGroups().map(({ title, variables }) => {
    const entries = variables.map(({ name, description, defaultText, example }) => {
      const comment = wrapWords(description.split(' '), 98).map(line => `# ${line}`)
      if (defaultText === undefined) comment.push('# Not set by default; for example:')
      return [...comment, `#${name}=${defaultText ?? example}`].join('\n')
    })
    return [`# --- ${title} ---`, ...entries].join('\n\n')
  })
  return `${[introduction, ...groups].join('\n\n')}\n`
}
