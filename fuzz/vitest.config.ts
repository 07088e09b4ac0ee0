import { vitestSettings } from '@broker/testing/vitest'
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { ...vitestSettings } })
