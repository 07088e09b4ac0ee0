import type { AllowVerdict, CheckFacts, RefusalVerdict, Verdict } from '@broker/core'
import { create, type JsonObject, toBinary } from '@bufbuild/protobuf'
import { KeptWithVerdict } from '../kept-with-verdict.ts'
import { HeaderValueOption_HeaderAppendAction } from './generated/envoy/config/core/v3/base_pb.ts'
import { CheckResponseSchema } from './generated/envoy/service/auth/v3/external_auth_pb.ts'
import { type FailureStatus, grpcStatus } from './grpc-status.ts'
import { messageFrame } from './message-frame.ts'

/**
 * Returns the `CheckResponse` of a verdict, with its prefix, and with `facts` as its metadata. Envoy allows a request if the code of
 * the status is 0 or absent, whatever else the message says: the code is made from the outcome, in this file only.
 */
export function responseFrame(verdict: Verdict, facts?: CheckFacts): Buffer {
  if (verdict.outcome !== 'allow') return messageFrame(refusal(verdict), metadataOf(facts))
  // The broker returns the same verdict object again and again, mostly with the same facts, so it is encoded once.
  const known = encoded.of(verdict)
  if (known !== undefined && isSame(known.facts, facts)) return known.frame
  const frame = messageFrame(allow(verdict), metadataOf(facts))
  encoded.keep(verdict, { facts, frame })
  return frame
}

interface KnownFrame {
  readonly facts: CheckFacts | undefined
  readonly frame: Buffer
}

const encoded = new KeptWithVerdict<KnownFrame>()

function allow(verdict: AllowVerdict): Uint8Array {
  return toBinary(
    CheckResponseSchema,
    create(CheckResponseSchema, {
      status: { code: grpcStatus.ok },
      httpResponse: {
        case: 'okResponse',
        value: { headers: headerOptions(verdict.set), headersToRemove: [...verdict.remove] },
      },
    }),
  )
}

function refusal(verdict: RefusalVerdict): Uint8Array {
  return toBinary(
    CheckResponseSchema,
    create(CheckResponseSchema, {
      status: { code: refusalStatus(verdict.status), message: verdict.code },
      httpResponse: {
        case: 'deniedResponse',
        value: {
          status: { code: verdict.status },
          headers: headerOptions(verdict.headers),
          body: verdict.body,
        },
      },
    }),
  )
}

/** The code for a status of HTTP; never 0, which allows. */
export function refusalStatus(httpStatus: number): FailureStatus {
  switch (httpStatus) {
    case 400:
      return grpcStatus.invalidArgument
    case 401:
      return grpcStatus.unauthenticated
    case 429:
      return grpcStatus.resourceExhausted
    case 500:
      return grpcStatus.internal
    default:
      return httpStatus > 500 ? grpcStatus.unavailable : grpcStatus.permissionDenied
  }
}

/** With the default action, the backend would see the caller's value beside this one. */
function headerOptions(headers: Readonly<Record<string, string>>) {
  return Object.entries(headers).map(([key, value]) => ({
    header: { key, value },
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  }))
}

/** The response with metadata alone; joined to another, it completes it. */
function metadataOf(facts: CheckFacts | undefined): Uint8Array {
  if (facts === undefined) return nothing
  const { rule, client, issuer, subject, expiresAt, cache } = facts
  const dynamicMetadata: JsonObject = {
    ...(rule !== undefined && { rule }),
    ...(client !== undefined && { client }),
    ...(issuer !== undefined && { issuer }),
    ...(subject !== undefined && { subject }),
    ...(expiresAt !== undefined && { expires_at: Math.floor(expiresAt / 1000) }),
    ...(cache !== undefined && { cache }),
  }
  if (Object.keys(dynamicMetadata).length === 0) return nothing
  return toBinary(CheckResponseSchema, create(CheckResponseSchema, { dynamicMetadata }))
}

const nothing = new Uint8Array(0)

function isSame(one: CheckFacts | undefined, other: CheckFacts | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.rule === other.rule &&
    one.client === other.client &&
    one.issuer === other.issuer &&
    one.subject === other.subject &&
    one.expiresAt === other.expiresAt &&
    one.cache === other.cache
  )
}
