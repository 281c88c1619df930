/** Paths that stand for the device's own topics need to know the device. */
import { BAD_REQUEST } from '#stacks/coap/codes'
import type { Call } from '../call.ts'

/** An assigned client id would make a topic that nobody knows. False: answered with a refusal. */
export function isNamed(call: Call): boolean {
  if (call.clientId !== undefined) return true
  call.refuse(BAD_REQUEST, 'clientid is required: it is part of the topic')
  return false
}
