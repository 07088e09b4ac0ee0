import { create, type DescFile, fromBinary, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { authorizationService } from './authorization.ts'
import { file_envoy_service_auth_v3_external_auth } from './generated/envoy/service/auth/v3/external_auth_pb.ts'
import { file_grpc_health_v1_health } from './generated/grpc/health/v1/health_pb.ts'
import {
  file_grpc_reflection_v1_reflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from './generated/grpc/reflection/v1/reflection_pb.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { StreamingMethod } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { healthService } from './health.ts'
import { messageFrame } from './message-frame.ts'

/** The services that describe the others; the messages of both are the same. */
export const reflectionServices = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const

const services = [authorizationService, healthService, reflectionServices[0]]
const roots = [
  file_envoy_service_auth_v3_external_auth,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
]

/** Far more than a tool asks. A few bytes ask for kilobytes, so that a caller could use up the memory and the time of the broker. */
const maxQuestions = 100
const questions = new WeakMap<GrpcCall, number>()

/** Answers `ServerReflectionInfo`, at most 100 questions per call, with which tools such as grpcurl call a server without its protos. */
export const reflectionInfo: StreamingMethod = {
  kind: 'streaming',
  onMessage(message, call) {
    const asked = questions.get(call) ?? 0
    if (asked >= maxQuestions)
      throw new GrpcFailure(grpcStatus.resourceExhausted, 'too many questions', 'overload')
    questions.set(call, asked + 1)
    const request = requestIn(message)
    const response = create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: answerTo(request),
    })
    call.send(messageFrame(toBinary(ServerReflectionResponseSchema, response)))
  },
  onEnd: call => call.end(),
}

function requestIn(message: Buffer): ServerReflectionRequest {
  try {
    return fromBinary(ServerReflectionRequestSchema, message)
  } catch {
    throw new GrpcFailure(grpcStatus.invalidArgument, 'the message is malformed')
  }
}

function answerTo({ messageRequest: { case: kind, value } }: ServerReflectionRequest) {
  switch (kind) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(name => ({ name })) },
      } as const
    case 'fileByFilename':
      return fileAnswer(file => `${file.name}.proto` === value)
    case 'fileContainingSymbol':
      return fileAnswer(file => defines(file, value))
    default:
      return errorAnswer(grpcStatus.unimplemented, 'not supported')
  }
}

function fileAnswer(isWanted: (file: DescFile) => boolean) {
  const found = [...withImports(roots)].find(isWanted)
  if (found === undefined) return errorAnswer(grpcStatus.notFound, 'not found')
  const fileDescriptorProto = [...withImports([found])].map(descriptorOf)
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } } as const
}

const descriptors = new Map<DescFile, Uint8Array>()

function descriptorOf(file: DescFile): Uint8Array {
  const known = descriptors.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto)
  descriptors.set(file, known)
  return known
}

function errorAnswer(errorCode: number, errorMessage: string) {
  return { case: 'errorResponse', value: { errorCode, errorMessage } } as const
}

function withImports(files: readonly DescFile[], known: Set<DescFile> = new Set()): Set<DescFile> {
  for (const file of files) {
    if (known.has(file)) continue
    known.add(file)
    withImports(file.dependencies, known)
  }
  return known
}

/** Whether a file defines a service, a method, a message or an enum of its outermost level, or anything in one. */
function defines(file: DescFile, symbol: string): boolean {
  return [...file.services, ...file.messages, ...file.enums].some(
    ({ typeName }) => symbol === typeName || symbol.startsWith(`${typeName}.`),
  )
}
