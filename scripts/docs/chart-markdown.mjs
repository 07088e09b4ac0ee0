import { parse } from 'yaml'

/** The table of a chart's values: names and meaning by its values.schema.json, defaults by its values.yaml. */
export function chartValuesTable(schema, valuesYaml) {
  return [
    '| Value | Default | Meaning |',
    '| --- | --- | --- |',
    ...rowsOf(schema, parse(valuesYaml), []),
  ].join('\n')
}

function rowsOf(schema, defaults, path) {
  return valuesOf(schema).flatMap(name => {
    const value = schema.properties[name]
    const names = [...path, name]
    if (hasValues(value, names)) return rowsOf(value, defaults[name], names)
    return [row(names.join('.'), defaults[name], value.description)]
  })
}

/** `global` belongs to charts that have this one as a part. */
function valuesOf({ properties }) {
  return Object.keys(properties).filter(name => name !== 'global')
}

/** Whether it is an object with further values; `config` is the broker's configuration file, which has its own page. */
function hasValues({ additionalProperties, properties }, [first]) {
  return properties !== undefined && additionalProperties === false && first !== 'config'
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

function compare(schema, defaults, path, found) {
  for (const name of valuesOf(schema)) {
    const value = schema.properties[name]
    const names = [...path, name]
    if (!value.description) found.push(`${names.join('.')} has no description`)
    if (!Object.hasOwn(defaults, name)) found.push(`${names.join('.')} is not in values.yaml`)
    else if (hasValues(value, names)) compare(value, defaults[name], names, found)
  }
}
