import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chartWithVersion } from '../packaging/chart-version.mjs'
import { chartValuesFaults, chartValuesTable } from './chart-markdown.mjs'

const schema = {
  additionalProperties: false,
  properties: {
    mode: { type: 'string', description: 'One of `a` | `b`.' },
    image: {
      additionalProperties: false,
      description: 'The image.',
      properties: { tag: { type: 'string', description: 'Its tag.' } },
    },
  },
}

test('the table has a row for each value, with its default', () => {
  assert.deepEqual(chartValuesTable(schema, "mode: a\nimage:\n  tag: ''\n").split('\n').slice(2), [
    '| `mode` | `a` | One of `a` \\| `b`. |',
    '| `image.tag` | `""` | Its tag. |',
  ])
})

test('a value without a default, and one without a description, are faults', () => {
  assert.deepEqual(chartValuesFaults(schema, "mode: a\nimage:\n  tag: ''\n"), [])
  assert.deepEqual(chartValuesFaults(schema, 'mode: a\nimage: {}\n'), ['image.tag is not in values.yaml'])
  const { description, ...undescribed } = schema.properties.mode
  const spoiled = { ...schema, properties: { ...schema.properties, mode: undescribed } }
  assert.deepEqual(chartValuesFaults(spoiled, "mode: a\nimage:\n  tag: ''\n"), ['mode has no description'])
})

test('a chart gets the version of the broker as its own', () => {
  const chart = 'name: a\n# Both.\nversion: 0.0.0\nappVersion: 0.0.0\nkubeVersion: ">=1.30"\n'
  assert.equal(chartWithVersion(chart, '1.2.3'), chart.replaceAll('0.0.0', '1.2.3'))
})
