export { type BrokerPorts, brokerCommand, listeningPorts, terraformHelper } from './broker-command.ts'
export { type BrokerProcess, startBroker } from './broker-process.ts'
export {
  type CertificateAuthority,
  type CertificateFor,
  createCertificateAuthority,
  type TlsIdentity,
} from './certificate-authority.ts'
export { type ChartTool, chartToolNeed, findChartTool } from './chart-tools.ts'
export type { CheckProtocol } from './check-protocol.ts'
export { chromiumNeed, findChromium } from './chromium-binary.ts'
export {
  type EnvoyConfig,
  envoyBootstrap,
  type ListenerParts,
  type ListenerVariants,
} from './envoy-bootstrap.ts'
export { envoyGatewayNeed, findEnvoyGateway } from './envoy-gateway-binary.ts'
export { type EnvoyProcess, startEnvoy } from './envoy-process.ts'
export { type EnvoyTlsOptions, envoyTls } from './envoy-tls.ts'
export { bootstrapWithoutBroker, secretResource, type WithoutBrokerOptions } from './envoy-without-broker.ts'
export { findBinary } from './find-binary.ts'
export { type FoundEnvoy, findEnvoy } from './find-envoy.ts'
export { type ForwardProxy, type ForwardProxyOptions, startForwardProxy } from './forward-proxy.ts'
export { freePort, isPortFree } from './free-port.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
export type { ApiServer, TokenOrder } from './kubernetes/api-server.ts'
export { type ApiServerStandIn, startApiServerStandIn } from './kubernetes/api-server-stand-in.ts'
export { type RealApiServer, startRealApiServer } from './kubernetes/real-api-server.ts'
export { record } from './kubernetes/record-api-server.ts'
export { type Recording, readRecording } from './kubernetes/recorded-answers.ts'
export { ManagedProcess, type ManagedProcessOptions } from './managed-process.ts'
export { ManualClock } from './manual-clock.ts'
export type { MemoryStoreHandle, StoreFault, StoreOperation } from './memory-store-handle.ts'
export { MemoryTokenStore } from './memory-token-store.ts'
export { MountedVolume } from './mounted-volume.ts'
export { type OtlpReceiver, startOtlpReceiver } from './otlp/otlp-receiver.ts'
export type { ReceivedSpan } from './otlp/received-span.ts'
export { type Program, programNeed } from './program-need.ts'
export { findPrometheus, prometheusNeed } from './prometheus/prometheus-binary.ts'
export { type PrometheusServer, type Sample, startPrometheus } from './prometheus/prometheus-process.ts'
export { findPromtool, promtoolNeed } from './promtool-binary.ts'
export { ask, type RawAnswer, RawConnection, type RawRequest, requestText } from './raw-connection.ts'
export {
  type AnswerRequest,
  answerJson,
  type Listening,
  listening,
  type ReceivedRequest,
  type RecordingServer,
  startRecordingServer,
} from './recording-server.ts'
export { type CuttableProxy, startCuttableProxy } from './redis/cuttable-proxy.ts'
export { findRedis, redisNeed } from './redis/redis-binary.ts'
export { type RedisCluster, startRedisCluster } from './redis/redis-cluster.ts'
export type { RedisAnswer } from './redis/redis-connection.ts'
export { type RedisOptions, type RedisServer, startRedis } from './redis/redis-process.ts'
export { type RedisSentinel, type RedisSentinelOptions, startRedisSentinel } from './redis/redis-sentinel.ts'
export { seededRandom } from './seeded-random.ts'
export { findTofu, tofuNeed } from './tofu-binary.ts'
export type { ForgottenRecord, LeaseAnswer, LeaseRequest, StoredRecord, TokenStore } from './token-store.ts'
export { until, within } from './until.ts'
