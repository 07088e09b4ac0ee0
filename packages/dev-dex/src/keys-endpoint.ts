import { type Answer, jsonAnswer } from './answer.ts'
import { goIndentedJson } from './go-text.ts'
import type { IssuerState } from './issuer-state.ts'

/** Answers `/keys` with the published JSON Web Key Set; Dex checks no method here. */
export function answerKeys({ keys }: IssuerState): Answer {
  return jsonAnswer(200, goIndentedJson(keys.jwks), { 'Cache-Control': 'max-age=600, must-revalidate' })
}
