import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** The stages of a Dockerfile, each a list of `{ name, text }`; a line that is continued is one instruction. Reads what ours uses. */
export function readDockerfile(text) {
  const lines = text.split('\n').filter(line => !/^\s*#/.test(line))
  const instructions = lines
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map(line => /^\s*([A-Z]+)\s+(.*\S)\s*$/.exec(line))
    .filter(found => found !== null)
    .map(([, name, rest]) => ({ name, text: rest }))
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []))
  return starts.map((start, index) => instructions.slice(start, starts[index + 1]))
}

/** The arguments of the last instruction of that name in JSON form, as in `ENTRYPOINT ["a", "b"]`; options may be before it. */
export function execForm(stage, name) {
  const { text = '' } = stage.findLast(instruction => instruction.name === name) ?? {}
  const [list] = /\[.*\]$/.exec(text) ?? []
  if (list === undefined) throw new Error(`${name} has no list of arguments`)
  return JSON.parse(list)
}

/** The variables that ENV sets in a stage. */
export function environmentOf(stage) {
  return Object.fromEntries(
    stage.filter(({ name }) => name === 'ENV').map(({ text }) => text.split(/=(.*)/s).slice(0, 2)),
  )
}

/** The files of `files` that reach a builder through a `.dockerignore`; the last line that matches a file, or a folder of it, decides. */
export function contextFiles(files, dockerignore) {
  const rules = dockerignore
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => ({ isExcluded: !line.startsWith('!'), pattern: line.replace(/^!/, '') }))
  const matches = (file, pattern) => {
    const segments = file.split('/')
    return segments.some((_, index) => path.matchesGlob(segments.slice(0, index + 1).join('/'), pattern))
  }
  return files.filter(file => !rules.findLast(({ pattern }) => matches(file, pattern))?.isExcluded)
}

/**
 * Runs a stage without an engine, as this user: its absolute folders are below `folder`, and what npm installs globally too. `context` is
 * the folder that COPY reads; a source that is not in it fails, as it does in a builder.
 */
export function runStage(stage, { context, folder, env }) {
  const run = { context, folder, env, variables: {}, workFolder: folder }
  mkdirSync(folder)
  for (const { name, text } of stage) {
    const step = steps[name]
    if (step === undefined) throw new Error(`${name} ${text}: not known how to run it`)
    step(run, text)
  }
}

const steps = {
  FROM() {},
  ARG: setVariable,
  ENV: setVariable,
  WORKDIR(run, text) {
    run.workFolder = path.join(run.folder, text)
    mkdirSync(run.workFolder, { recursive: true })
  },
  COPY({ context, workFolder }, text) {
    const [target, ...sources] = text.split(/\s+/).reverse()
    for (const source of sources) {
      copy(path.join(context, source), path.resolve(workFolder, target), target.endsWith('/'))
    }
  },
  RUN({ folder, workFolder, env, variables }, text) {
    const prefix = path.join(folder, 'usr')
    execFileSync('sh', ['-e', '-c', text.replaceAll(/(?<=\s)\/[\w/.-]+/g, file => path.join(folder, file))], {
      cwd: workFolder,
      env: {
        ...env,
        ...variables,
        npm_config_prefix: prefix,
        PATH: [path.join(prefix, 'bin'), env.PATH].join(path.delimiter),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  },
}

function setVariable({ variables }, text) {
  const [name, value] = text.split(/=(.*)/s)
  variables[name] = value
}

/** As COPY does: a folder's contents go into the target, and a file too when the target ends in `/`. */
function copy(source, target, isIntoFolder) {
  const name = statSync(source).isDirectory() || !isIntoFolder ? '' : path.basename(source)
  cpSync(source, path.join(target, name), { recursive: true })
}
