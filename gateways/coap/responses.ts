/** Answers that several routes give. Every refusal says why, in words: RFC 7252 5.5.2. */
import type { ConnectOutcome, PublishOutcome, SubscribeOutcome } from '#sdk'
import {
  BAD_REQUEST,
  CHANGED,
  FORBIDDEN,
  NOT_IMPLEMENTED,
  SERVICE_UNAVAILABLE,
  TOO_MANY_REQUESTS,
  UNAUTHORIZED,
} from '#stacks/coap/codes'
import { type Response, refusal } from '#stacks/coap/exchange'
import { MAX_AGE, uintOption } from '#stacks/coap/options'

/** Max-Age of 4.29 and 5.03: when to try again. RFC 8516 4, RFC 7252 5.9.3.4 */
const RETRY_AFTER_S = 5

export { refusal }

/** A refusal that may not last. */
export function retryLater(code: typeof TOO_MANY_REQUESTS | typeof SERVICE_UNAVAILABLE, diagnostic: string): Response {
  return refusal(code, diagnostic, [uintOption(MAX_AGE, RETRY_AFTER_S)])
}

export const CHANGED_RESPONSE: Response = { code: CHANGED }

/** What became of a publish, to the device that asked for it; `accepted` when the broker has it. */
export function publishResponse(outcome: PublishOutcome, accepted: Response): Response {
  switch (outcome) {
    case 'delivered':
    case 'no-subscribers':
      return accepted
    case 'not-authorized':
      return refusal(FORBIDDEN, 'not authorized to publish to this topic')
    case 'quota':
      return retryLater(TOO_MANY_REQUESTS, 'quota exceeded')
    case 'invalid-topic':
      return refusal(BAD_REQUEST, 'invalid topic')
    case 'not-connected':
      return retryLater(SERVICE_UNAVAILABLE, 'the session has ended, send again')
    case 'unavailable':
      return retryLater(SERVICE_UNAVAILABLE, 'the message could not be stored')
  }
}

export function subscribeRefusal(outcome: Exclude<SubscribeOutcome, number>): Response {
  switch (outcome) {
    case 'not-authorized':
      return refusal(FORBIDDEN, 'not authorized to observe this topic')
    case 'invalid-filter':
      return refusal(BAD_REQUEST, 'invalid topic filter')
    case 'quota':
      return retryLater(SERVICE_UNAVAILABLE, 'too many subscriptions')
    case 'unavailable':
      return retryLater(SERVICE_UNAVAILABLE, 'the subscription could not be stored')
    case 'shared-unsupported':
      return refusal(NOT_IMPLEMENTED, 'shared subscriptions are not supported')
  }
}

export function loginRefusal(outcome: Extract<ConnectOutcome, { ok: false }>): Response {
  const { reason } = outcome
  const diagnostic = `Login Failed: ${outcome.message ?? reason}`
  switch (reason) {
    case 'bad-credentials':
    case 'not-authorized':
    case 'unknown-method':
      return refusal(UNAUTHORIZED, diagnostic)
    case 'banned':
      return refusal(FORBIDDEN, diagnostic)
    case 'bad-client-id':
      return refusal(BAD_REQUEST, diagnostic)
    case 'quota':
    case 'unavailable':
      return retryLater(SERVICE_UNAVAILABLE, diagnostic)
  }
}
