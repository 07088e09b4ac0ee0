import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../packages/server/src/config/load-config.ts'
import { configurationMarkdown } from './configuration-markdown.ts'
import { minimalConfigurations } from './minimal-configurations.ts'

for (const { title, variables } of minimalConfigurations) {
  test(`the minimal configuration "${title}" loads without a warning, and every line of it counts`, () => {
    const config = loadConfig(variables)
    assert.deepEqual(config.warnings, [])
    assert.equal(config.broker.gate !== undefined, /JWT/.test(title))
    for (const name of Object.keys(variables)) {
      assert.notDeepEqual(loadedWithout(name, variables), config, `${name} changes nothing`)
    }
    for (const [name, value] of Object.entries(variables)) {
      assert(configurationMarkdown().includes(`${name}=${value}\n`), `${name} is not on the page`)
    }
  })
}

function loadedWithout(name, { [name]: _, ...others }) {
  try {
    return loadConfig(others)
  } catch (error) {
    return error.message
  }
}
