import { defineConfig } from 'vitest/config'
import { vitestSettings } from './src/vitest-settings.ts'

export default defineConfig({ test: { ...vitestSettings } })
