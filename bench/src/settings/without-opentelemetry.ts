// Loaded into a server: its optional packages of OpenTelemetry are not found, as if they were not installed.
import { registerHooks } from 'node:module'

registerHooks({
  resolve(name, context, next) {
    if (!/^@opentelemetry.(?:sdk|exporter|resources)/.test(name)) return next(name, context)
    throw Object.assign(new Error(`Cannot find package ${name}`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
