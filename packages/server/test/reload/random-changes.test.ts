import { truncateSync, writeFileSync } from 'node:fs'
import { MountedVolume } from '@broker/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReloadScene } from './reload-scene.ts'

const yamlOf = (reason: string) =>
  `clients: [{ name: reports, clientId: reports, clientSecret: { file: secret } }]\nrules: [{ name: all, when: 'true', deny: ${reason} }]\n`

const word = fc.constantFrom('one', 'two', 'three', 'four')
/** A file is good, faulty, removed, or half-written for one look. */
const change = fc.record({
  file: fc.constantFrom('secret' as const, 'config.yaml' as const),
  kind: fc.constantFrom('good' as const, 'faulty' as const, 'half' as const),
  word,
  how: fc.constantFrom('swap' as const, 'in place' as const),
})

test('after any changes, each file has its last good content in effect, and never half of one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async changes => {
      const files = { secret: 'start', 'config.yaml': yamlOf('start') }
      const good = { ...files }
      using volume = new MountedVolume(files)
      const scene = new ReloadScene({ CONFIG_FILE: volume.file('config.yaml') })
      const write = (file: keyof typeof files, text: string, how: 'swap' | 'in place') => {
        files[file] = text
        if (how === 'swap') volume.swap(files)
        else writeFileSync(volume.file(file), text)
      }
      for (const { file, kind, word, how } of changes) {
        const text = file === 'secret' ? word : yamlOf(word)
        if (kind === 'faulty') {
          write(file, file === 'secret' ? '' : `${text}nonsense: 1\n`, how)
        } else {
          if (kind === 'half') {
            truncateSync(volume.file(file))
            await scene.look(1)
            writeFileSync(volume.file(file), text.slice(0, -2))
            await scene.look(1)
          }
          good[file] = text
          write(file, text, how)
        }
        await scene.look()
        expect(scene.secretOf('reports')).toBe(good.secret)
        expect(scene.config.file?.description).toContain(good['config.yaml'].match(/deny: \w+/)?.[0])
        const faulty = [files.secret === '', files['config.yaml'].includes('nonsense')].filter(Boolean)
        expect(scene.faults).toBe(faulty.length)
      }
    }),
    { numRuns: 60 },
  )
})
