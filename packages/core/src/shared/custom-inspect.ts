/** `inspect.custom` of `node:util`, which passes `inspect` itself as third argument: importing it would load the modules behind all exports. */
export const customInspect: unique symbol = Symbol.for('nodejs.util.inspect.custom')
