export { tokenInterceptor } from './token-interceptor.ts'
export { undiciTransport } from './undici-transport.ts'
