export { brokerErrorHandler } from './broker-error-handler.ts'
export { authOf, requireJwt } from './require-jwt.ts'
