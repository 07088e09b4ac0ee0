import { chartToolNeed, findChartTool } from '@broker/testing'
import { expect, test } from 'vitest'

test('Helm is the one that is named, else the one on the PATH', () => {
  expect(findChartTool('HELM_BIN', { HELM_BIN: '/opt/helm', PATH: '' })).toBe('/opt/helm')
  expect(findChartTool('HELM_BIN', { KUSTOMIZE_BIN: '/opt/kustomize', PATH: '' })).toBeUndefined()
})

test('a machine without Helm or kustomize skips the tests, unless they are required', () => {
  expect(chartToolNeed('KUSTOMIZE_BIN', { PATH: '' })).toEqual({ KUSTOMIZE_BIN: false })
  expect(() => chartToolNeed('KUSTOMIZE_BIN', { PATH: '', REQUIRE_HELM: '1' })).toThrow(
    'REQUIRE_HELM is set, and there is no kustomize. Set KUSTOMIZE_BIN or put it on the PATH.',
  )
})
