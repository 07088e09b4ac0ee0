import type { Target } from './target.ts'
import { assertionKeyTarget } from './targets/assertion-key.ts'
import { basicCredentialsTarget } from './targets/basic-credentials.ts'
import { certificateTarget, privateKeyTarget, sealingKeyTarget } from './targets/certificate-files.ts'
import { checkRequestTarget, messageFramesTarget } from './targets/check-request.ts'
import { configurationFileTarget } from './targets/configuration-file.ts'
import { contentCodingTarget } from './targets/content-coding.ts'
import { dexSubjectTarget } from './targets/dex-subject.ts'
import { discoveryTarget } from './targets/discovery-document.ts'
import { durationTarget } from './targets/duration.ts'
import { envoyConfigTarget } from './targets/envoy-config.ts'
import { expressionTarget } from './targets/expression.ts'
import { headerMappingTarget } from './targets/header-mapping.ts'
import { hostsFileTarget } from './targets/hosts-file.ts'
import { jwtTarget, signedClaimsTarget } from './targets/jwt.ts'
import { keySetTarget } from './targets/key-set.ts'
import { listTarget } from './targets/lists.ts'
import { requestPathTarget } from './targets/request-path.ts'
import { retryAfterTarget } from './targets/retry-after.ts'
import { recordTarget, sealedRecordTarget, storeAnswerTarget } from './targets/store-records.ts'
import { cacheEntryTarget, execInfoTarget } from './targets/token-command.ts'
import { tokenResponseTarget } from './targets/token-response.ts'
import { traceHeadersTarget } from './targets/trace-headers.ts'
import { urlTarget } from './targets/urls.ts'

/** Every parser of the product. */
export const targets: readonly Target[] = [
  assertionKeyTarget,
  basicCredentialsTarget,
  certificateTarget,
  privateKeyTarget,
  sealingKeyTarget,
  checkRequestTarget,
  messageFramesTarget,
  configurationFileTarget,
  contentCodingTarget,
  dexSubjectTarget,
  discoveryTarget,
  durationTarget,
  envoyConfigTarget,
  expressionTarget,
  headerMappingTarget,
  hostsFileTarget,
  jwtTarget,
  signedClaimsTarget,
  keySetTarget,
  listTarget,
  requestPathTarget,
  retryAfterTarget,
  recordTarget,
  sealedRecordTarget,
  storeAnswerTarget,
  cacheEntryTarget,
  execInfoTarget,
  tokenResponseTarget,
  traceHeadersTarget,
  urlTarget,
]

export function targetNamed(name: string): Target {
  const target = targets.find(each => each.name === name)
  if (target === undefined)
    throw new TypeError(`no target ${name}; one of ${targets.map(each => each.name).join(', ')}`)
  return target
}
