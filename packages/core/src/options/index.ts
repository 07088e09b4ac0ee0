export { audienceProblem, scopeWithAudiences } from '../clients/client-credentials.ts'
export { type Hint, type HintProblem, hintText, type OptionName } from '../shared/hint.ts'
export { isExposedUrl } from '../shared/http/endpoint-url.ts'
export type {
  CredentialHeaderOptions,
  DefaultClient,
  GateOptions,
  TokenBrokerOptions,
} from './broker-options.ts'
export { headerNameProblem } from './header-name.ts'
export { optionRules } from './option-rules.ts'
