/** The QoS of a request that names none. */
import type { QoS } from '#sdk'
import type { CoapConfig } from './config.ts'

const FIXED = { qos0: 0, qos1: 1, qos2: 2 } as const

/** `coap`: what is confirmable on the wire is QoS 1 on the broker. */
export function qosOf(rule: CoapConfig['publishQos'], confirmable: boolean): QoS {
  if (rule === 'coap') return confirmable ? 1 : 0
  return FIXED[rule]
}
