/** What OSCORE protects, RFC 8613, with a context whose keys everybody knows: for tests alone. */
import { UNAUTHORIZED } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { SecurityContext } from '#stacks/coap/oscore/context'
import { systemCrypto } from '../../../src/runtime/crypto.ts'
import { content, type Resource, resource } from './resource.ts'

function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function createContexts(): SecurityContext[] {
  const input = {
    masterSecret: octets('0102030405060708090a0b0c0d0e0f10'),
    masterSalt: octets('9e7ca92223786340'),
    senderId: octets('01'),
    recipientId: octets('00'),
  }
  return [new SecurityContext(input, systemCrypto)]
}

export function createProtected(): Resource[] {
  return [
    resource('oscore/hello/coap', { get: (inquiry) => inquiry.respond(content('Hello World!')) }, { ct: TEXT }),
    resource(
      'oscore/hello/1',
      {
        get: (inquiry) => {
          if (inquiry.isProtected) inquiry.respond(content('Hello World!'))
          else inquiry.refuse(UNAUTHORIZED, 'this is for protected requests')
        },
      },
      { ct: TEXT },
    ),
  ]
}
