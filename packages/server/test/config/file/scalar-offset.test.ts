import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Document } from 'yaml'
import { parseYaml } from '../../../src/config/file/yaml-file.ts'

/** The text from the place in the file that belongs to a character of the value. */
function textFrom(yaml: string, index: number): string {
  const { line, column } = parseYaml(yaml).positionOf(['when'], index)
  return (yaml.split('\n')[line - 1] ?? '').slice(column - 1)
}

describe('the place of a character', () => {
  const value = 'caller.issuer == "staff" && caller.foo'
  const index = value.indexOf('foo')

  it.each([
    ['plain', `when: ${value}`],
    ['in single quotes', `when: '${value}'`],
    ['in double quotes', `when: ${JSON.stringify(value)}`],
    ['in a folded block', 'when: >-\n  caller.issuer == "staff" &&\n  caller.foo'],
    ['in a literal block', `# first\nwhen: | # why\n    ${value}\n`],
    ['plain on several lines', 'when: caller.issuer ==\n  "staff"\n  && caller.foo'],
    ['in double quotes on several lines', 'when: "caller.issuer == \\"staff\\" && \\\n  caller.foo"'],
    ['in a flow map', `{ when: '${value}' }`],
  ])('%s is exact', (_, yaml) => {
    expect(parseYaml(yaml).value).toMatchObject({ when: expect.stringContaining(value) })
    expect(textFrom(yaml, index)).toMatch(/^foo/)
  })

  it('behind doubled quotes and escapes is exact', () => {
    expect(textFrom("when: 'it''s foo'", 5)).toMatch(/^foo/)
    expect(textFrom('when: "\\x41\\u0042\\U0001F600\\n foo"', 6)).toMatch(/^foo/)
  })

  it('at the end of the text is behind its last character', () => {
    expect(parseYaml('when: 1 +').positionOf(['when'], 3)).toEqual({ line: 1, column: 10 })
  })

  it('is found for every character that is no blank, however YAML writes the text', () => {
    const word = fc.stringMatching(/^[\w"'\\&|<>=.()!:{}[\],#-]{1,12}$/)
    const kind = fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED')
    const separator = fc.constantFrom(' ', '\n', '\n\n', '  ', '\n  ')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, separator), { minLength: 1, maxLength: 12 }),
        kind,
        fc.nat(),
        (words, type, pick) => {
          const text = words.flat().slice(0, -1).join('')
          const document = new Document({ when: text })
          Object.assign(document.get('when', true) as object, { type })
          const yaml = document.toString({ lineWidth: 40 })
          const file = parseYaml(yaml)
          // Not every text can be written in every form, and the writer does not always notice.
          fc.pre((file.value as { when?: unknown } | undefined)?.when === text)
          const index = pick % text.length
          const character = text[index] as string
          if (/\s/.test(character)) return
          const found = textFrom(yaml, index)
          const prefix = type === 'QUOTE_DOUBLE' || !found.startsWith(character) ? /^\\/ : /^$/
          expect(found.replace(prefix, '')[0]).toBe(character)
        },
      ),
      { numRuns: 300 },
    )
  })
})
