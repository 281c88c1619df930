/** Multicast of a datagram listener: the groups it hears, and those that a gateway speaks to first. */
import * as z from 'zod'
import { type Address, parseBind } from './bind.ts'

/** RFC 5771 3, RFC 4291 2.7. */
const GROUP = /^(?:2(?:2[4-9]|3\d)(?:\.\d{1,3}){3}|ff[0-9a-f:.]+)$/i
const DESTINATION = /^(?:\[[0-9a-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/i
const INTERFACE = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f.]*:[0-9a-f:.]*)$/i

const group = z.string().regex(GROUP, 'write a multicast address such as "225.1.1.1" or "ff02::1"').meta({ title: 'Group' })

const destination = z
  .string()
  .regex(DESTINATION, 'write an address and port such as "225.1.1.1:1883"')
  .meta({ title: 'Address and port' })

export const multicastSchema = z
  .strictObject({
    groups: z.array(group).max(64).default([]).meta({
      title: 'Groups to join',
      description: 'What is sent to them, at the port of the listener, is heard. Needs a listener on all addresses.',
      'x-reload': 'listener',
    }),
    announceTo: z.array(destination).max(16).default([]).meta({
      title: 'Where to announce',
      description:
        'Groups, or a broadcast address, with port, to which a gateway speaks of its own accord where its protocol has words for it.',
      'x-reload': 'listener',
    }),
    interface: z.string().regex(INTERFACE, 'write the address of an interface such as "192.168.1.2"').optional().meta({
      title: 'Interface',
      description: 'Address of the interface that joins and announces; by default the one that the system chooses.',
      'x-reload': 'listener',
    }),
    hops: z
      .int()
      .min(1)
      .max(255)
      .default(1)
      .meta({ title: 'Hops', description: 'Routers that an announcement passes: 1 is none.', 'x-reload': 'listener' }),
  })
  .meta({ title: 'Multicast', description: 'For datagram listeners' })

export type RawMulticast = z.output<typeof multicastSchema>

/** What is wrong with it on a listener that binds `host`, and what to do; undefined when nothing is. */
export function multicastFault({ groups, announceTo }: RawMulticast, host: string): [fault: string, hint: string] | undefined {
  for (const text of announceTo) {
    const address = parseBind(text)
    if (typeof address === 'string') return [`${text}: ${address}`, 'write another port']
  }
  const isIPv6 = host.includes(':')
  const others = [...groups, ...announceTo.map((text) => addressOf(text).host)].filter((each) => each.includes(':') !== isIPv6)
  if (others.length > 0) {
    const kind = isIPv6 ? 'IPv6' : 'IPv4'
    return [`${others.join(', ')} is no ${kind} address, as the listener binds`, 'use a listener of its own for it']
  }
  if (groups.length > 0 && host !== '0.0.0.0' && host !== '::') {
    return ['a listener on a single address hears nothing that is sent to a group', 'bind "0.0.0.0:PORT" or "[::]:PORT"']
  }
  return undefined
}

export function multicastConfig({ announceTo, ...rest }: RawMulticast) {
  return { ...rest, announceTo: announceTo.map(addressOf) }
}

function addressOf(text: string): Address {
  return parseBind(text) as Address
}
