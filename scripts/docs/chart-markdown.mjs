import { parse } from 'yaml'

/** The table of a chart's values: names and meaning by its values.schema.json, defaults by its values.yaml. */
export function chartValuesTable(schema, valuesYaml) {
  return [
    '| Value | Default | Meaning |',
    '| --- | --- | --- |',
    ...rowsOf(schema, parse(valuesYaml), []),
  ].join('\n')
}

function rowsOf({ properties }, defaults, path) {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const names = [...path, name]
    const isFolder = schema.additionalProperties === false && path.length < 3 && name !== 'config'
    if (isFolder) return rowsOf(schema, defaults[name], names)
    return name === 'global' ? [] : [row(names.join('.'), defaults?.[name], schema.description)]
  })
}

function row(name, value, description) {
  return `| \`${name}\` | \`${shown(value)}\` | ${description.replaceAll('|', '\\|')} |`
}

/** Longer ones are in values.yaml. */
function shown(value) {
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
  return text.length > 60 ? '...' : text
}

/** Values that have no default, or no description; none when the two files agree. */
export function chartValuesFaults(schema, valuesYaml) {
  const found = []
  compare(schema, parse(valuesYaml), [], found)
  return found
}

function compare(schema, value, path, found) {
  if (!schema.description && path.length > 0) found.push(`${path.join('.')} has no description`)
  if (schema.additionalProperties !== false || path[0] === 'config') return
  for (const name of Object.keys(schema.properties)) {
    if (name === 'global' || schema.properties[name] === undefined) continue
    if (!Object.hasOwn(value, name)) found.push(`${[...path, name].join('.')} is not in values.yaml`)
    else compare(schema.properties[name], value[name], [...path, name], found)
  }
}
