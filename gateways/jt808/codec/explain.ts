/** What bodies say that have it in octets or by numbers: parameters, blocks of a recorder, areas, peripherals, what is compressed. */
import { areasOf } from './bodies/areas.ts'
import { namedParameters } from './bodies/parameters.ts'
import { peripheralsOf } from './bodies/peripherals.ts'
import { blockOf } from './bodies/recorder-block.ts'
import { contentOf, MAX_INFLATED_BYTES } from './compressed.ts'
import type { Message } from './messages.ts'

/** Members to add to the JSON of the body; empty when there is nothing to explain, or it is not as its standard says. */
export function explain(message: Message, maxInflatedBytes = MAX_INFLATED_BYTES): Readonly<Record<string, unknown>> {
  switch (message.type) {
    case 'parameters-reply':
    case 'set-parameters':
      return named('parameters', namedParameters(message.body.params))
    case 'recorder-data':
      return named('recorder', blockOf(message.body.data))
    case 'areas-reply':
      return named('areas', areasOf(message.body))
    case 'pass-through':
      return named('peripherals', peripheralsOf(message.body))
    case 'compressed':
      return contentOf(message.body.data, maxInflatedBytes)
    default:
      return {}
  }
}

function named(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [name]: value }
}
