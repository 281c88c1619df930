/** `/down` and `/down/data`: what comes down to the device on its own unified topics, without naming them. RFC 7641 */
import { type DeviceTopic, deviceTopic } from '#sdk'
import { BAD_REQUEST, CONTENT, GET } from '#stacks/coap/codes'
import { JSON_FORMAT, OCTET_STREAM } from '#stacks/coap/content-formats'
import { DEREGISTER, REGISTER } from '#stacks/coap/observe'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { isNamed } from './named.ts'
import type { Method, Resource } from './resource.ts'

function observe(leaf: DeviceTopic, isCommands: boolean): (call: Call, client: CoapClient) => void {
  return (call, client) => {
    if (!isNamed(call)) return
    const filter = deviceTopic(client.id, leaf)
    if (call.target.observe === DEREGISTER) {
      client.observations.deregister(call, filter)
      call.respond({ code: CONTENT })
    } else if (call.target.observe !== REGISTER) {
      call.refuse(BAD_REQUEST, 'what comes down is an event and has no value: observe it')
    } else if (call.exchange.token === '') {
      call.refuse(BAD_REQUEST, 'observe without token')
    } else {
      client.observations.register(call, { filter, isName: true, isCommands })
    }
  }
}

function resource(target: string, leaf: DeviceTopic, isCommands: boolean, ct: number, title: string): Resource {
  return {
    methods: new Map<number, Method>([[GET, { client: observe(leaf, isCommands) }]]),
    observed: (_call, client) => deviceTopic(client.id, leaf),
    listed: { target, attributes: { rt: 'omnigate.down', ct, obs: true, title } },
  }
}

export const down = resource('/down', 'down/command', true, JSON_FORMAT, 'Observe commands')
export const downData = resource('/down/data', 'down/data', false, OCTET_STREAM, 'Observe bytes for the device')
