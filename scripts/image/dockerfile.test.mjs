import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { contextFiles, environmentOf, execForm, readDockerfile, runStage } from './dockerfile.mjs'

test('a Dockerfile is read by stages, with continued lines and without comments', () => {
  const [build, image] = readDockerfile(
    'FROM a AS build\n# RUN no\nRUN one \\\n  two\nFROM b\nENV A=b=c\nHEALTHCHECK --timeout=3s \\\n  CMD ["x", "y z"]\n',
  )
  assert.deepEqual(build, [
    { name: 'FROM', text: 'a AS build' },
    { name: 'RUN', text: 'one    two' },
  ])
  assert.deepEqual(execForm(image, 'HEALTHCHECK'), ['x', 'y z'])
  assert.deepEqual(environmentOf(image), { A: 'b=c' })
  assert.throws(() => execForm(image, 'ENTRYPOINT'), /ENTRYPOINT has no list/)
})

test('the last line of a .dockerignore that matches a file or its folder decides', () => {
  const files = ['a.txt', 'b/c.txt', 'b/test/d.txt', 'scripts/one.mjs', 'scripts/two.mjs']
  const ignore = '# all\n*\n!b\n!scripts/one.mjs\n**/test\n'
  assert.deepEqual(contextFiles(files, ignore), ['b/c.txt', 'scripts/one.mjs'])
})

test('each COPY of the Dockerfile finds its files in what .dockerignore lets through', () => {
  const [build] = readDockerfile(readFileSync(path.join(root, 'deploy/docker/Dockerfile'), 'utf8'))
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
  const context = contextFiles(tracked, readFileSync(path.join(root, '.dockerignore'), 'utf8'))
  const sources = build
    .filter(({ name }) => name === 'COPY')
    .flatMap(({ text }) =>
      text
        .split(' ')
        .slice(0, -1)
        .map(source => path.normalize(source)),
    )
  assert.ok(sources.length > 0)
  for (const source of sources) {
    assert.ok(
      context.some(file => file === source || file.startsWith(`${source}/`)),
      `${source} does not reach the builder`,
    )
  }
  const scripts = sources.filter(source => source.startsWith('scripts/'))
  assert.deepEqual(context.filter(file => file.startsWith('scripts/')).sort(), scripts.sort())
})

test('a stage runs in folders below another one, and its variables and commands count', () => {
  inFolder(folder => {
    const context = contextOf(folder, { 'a.txt': 'a', 'b/c.txt': 'c' })
    const [stage] = readDockerfile(
      'FROM x\nARG NAME=made\nWORKDIR /src\nCOPY a.txt ./\nCOPY b ./b\nRUN cp a.txt /app-$NAME && test -f b/c.txt',
    )
    runStage(stage, { context, folder: path.join(folder, 'run'), env: process.env })
    assert.equal(readFileSync(path.join(folder, 'run/src/a.txt'), 'utf8'), 'a')
    assert.ok(existsSync(path.join(folder, 'run/app-made')))
  })
})

test('a stage fails at a COPY of a file that does not reach the builder, and at a command that fails', () => {
  for (const line of ['COPY missing.txt ./', 'RUN false', 'VOLUME /data']) {
    inFolder(folder => {
      const context = contextOf(folder, { 'a.txt': 'a' })
      const [stage] = readDockerfile(`FROM x\n${line}`)
      assert.throws(() => runStage(stage, { context, folder: path.join(folder, 'run'), env: process.env }))
    })
  }
})

function contextOf(folder, files) {
  const context = path.join(folder, 'context')
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(context, file)), { recursive: true })
    writeFileSync(path.join(context, file), content)
  }
  return context
}

function inFolder(run) {
  const folder = mkdtempSync(path.join(tmpdir(), 'dockerfile-'))
  try {
    run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
