import path from 'node:path'

const name = '\0undici-in-use'

/** The exports of undici that the server imports, and their files. Another name fails the build. */
const files = {
  Agent: 'lib/dispatcher/agent.js',
  Pool: 'lib/dispatcher/pool.js',
  ProxyAgent: 'lib/dispatcher/proxy-agent.js',
  Headers: 'lib/web/fetch/headers.js',
  Request: 'lib/web/fetch/request.js',
  Response: 'lib/web/fetch/response.js',
  CloseEvent: 'lib/web/websocket/events.js',
  ErrorEvent: 'lib/web/websocket/events.js',
}

/**
 * A plugin of the bundler: the parts of undici that the server uses. Its main file requires all of them, mocks and caches too: half a megabyte that
 * every start would read. `folder` is undici's.
 */
export function undiciInUse(folder) {
  const file = relative => JSON.stringify(path.join(folder, relative))
  return {
    name: 'undici-in-use',
    resolveId: id => (id === 'undici' ? name : undefined),
    load(id) {
      if (id !== name) return
      return [
        `import Dispatcher from ${file('lib/dispatcher/dispatcher.js')}`,
        `import api from ${file('lib/api/index.js')}`,
        // As undici's main file does: a proxy is asked by `connect`.
        'Object.assign(Dispatcher.prototype, api)',
        ...Object.entries(files).map(([key, relative]) =>
          /dispatcher/.test(relative)
            ? `export { default as ${key} } from ${file(relative)}`
            : `export { ${key} } from ${file(relative)}`,
        ),
      ].join('\n')
    },
  }
}
