/** Macros that iterate over a list or the keys of a map, with the numbers of arguments that they take. */
export const macros: Readonly<Record<string, readonly number[]>> = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
}

/**
 * The functions and methods of rules. Others of the library cost more than linear time, read the local time zone, or define
 * variables.
 */
export const celFunctions: ReadonlySet<string> = new Set([
  ...Object.keys(macros),
  'bool',
  'contains',
  'double',
  'duration',
  'dyn',
  'endsWith',
  'getDate',
  'getDayOfMonth',
  'getDayOfWeek',
  'getFullYear',
  'getHours',
  'getMilliseconds',
  'getMinutes',
  'getMonth',
  'getSeconds',
  'has',
  'int',
  'join',
  'lowerAscii',
  'matches',
  'size',
  'split',
  'startsWith',
  'string',
  'substring',
  'timestamp',
  'trim',
  'type',
  'upperAscii',
])

/** The names of types, which `type(x) == string` compares with. */
export const celTypeNames: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
])
