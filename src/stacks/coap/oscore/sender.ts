/** The client's side of OSCORE: requests protected on their way out, responses verified. RFC 8613 8.1, 8.4 */
import { isSuccess } from '../codes.ts'
import type { CoapMessage } from '../message.ts'
import { OBSERVE, OSCORE } from '../options.ts'
import type { Request, Requester, RequestFailure, RequestHandle, RequestSender } from '../requester.ts'
import type { SecurityContext } from './context.ts'
import { protectRequest, unprotectResponse } from './protection.ts'

const NOTHING_TO_CANCEL: RequestHandle = { cancel() {} }

export class OscoreSender implements RequestSender {
  readonly #requester: Requester
  readonly #context: SecurityContext

  constructor(requester: Requester, context: SecurityContext) {
    this.#requester = requester
    this.#context = context
  }

  /** `done`: also an error that came without protection, which anybody may have sent. */
  send(request: Request, done: (result: CoapMessage | RequestFailure) => void): RequestHandle {
    // One answer is verified here: who registered would be sent notifications that nobody waits for.
    const plain = { ...request, options: request.options?.filter(({ number }) => number !== OBSERVE) }
    const made = protectRequest(this.#context, plain)
    if (made === undefined) {
      done('exhausted')
      return NOTHING_TO_CANCEL
    }
    const { confirmable, token } = request
    const { code, options, payload } = made.message
    return this.#requester.send({ confirmable, token, code, options, payload }, (result) => {
      if (typeof result === 'string') done(result)
      else if (result.options.has(OSCORE)) done(unprotectResponse(made.binding, result) ?? 'not-genuine')
      else done(isSuccess(result.code) ? 'not-genuine' : result)
    })
  }
}
