/** `/mqtt/connection`: log in (POST), show a sign of life (PUT), log out (DELETE). */
import { BAD_REQUEST, CHANGED, CREATED, DELETE, DELETED, POST, PUT } from '#stacks/coap/codes'
import { TEXT } from '#stacks/coap/content-formats'
import { CONTENT_FORMAT, uintOption } from '#stacks/coap/options'
import { encodeText } from '#stacks/coap/text'
import type { Call } from '../call.ts'
import type { CoapClient } from '../client.ts'
import { clientOf, identify, login, speaksForItself } from '../identity.ts'
import type { Method, Resource } from './resource.ts'

/** What the token is worth against guessing. */
const TOKEN_BYTES = 8

function create(call: Call): void {
  const { session, target, clientId } = call
  const { username, password } = target.query
  if (clientId === undefined) {
    call.refuse(BAD_REQUEST, 'Login Failed: clientid is required')
    return
  }
  if (!speaksForItself(call)) return
  const present = clientOf(session, clientId)
  // From another address it may be the same device after a restart: then its credentials decide.
  if (present?.token !== undefined && present.speaksFrom(session)) {
    call.refuse(BAD_REQUEST, 'Bad Request: client has connected')
    return
  }
  const client = login(call, { clientId, username, password, token: newToken(session.link.random(TOKEN_BYTES)) })
  client?.whenOnline(call, created)
}

function created(call: Call, client: CoapClient): void {
  call.respond({ code: CREATED, options: [uintOption(CONTENT_FORMAT, TEXT)], payload: encodeText(client.token ?? '') })
}

/** Decimal text. */
function newToken(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = value * 256n + BigInt(byte)
  return String(value)
}

function heartbeat(call: Call, client: CoapClient): void {
  if (client.token === undefined) call.refuse(BAD_REQUEST, 'Missing token or clientid in connection mode')
  else call.respond({ code: CHANGED })
}

/** Whoever is not there is gone already: that is success too. */
function remove(call: Call): void {
  const { session, clientId } = call
  if (clientId === undefined || clientOf(session, clientId) === undefined) call.respond({ code: DELETED })
  else identify(call)?.whenOnline(call, removed)
}

function removed(call: Call, client: CoapClient): void {
  call.respond({ code: DELETED })
  client.link.close('disconnected')
}

export const connection: Resource = {
  methods: new Map<number, Method>([
    [POST, { open: create }],
    [PUT, { client: heartbeat }],
    [DELETE, { open: remove }],
  ]),
  listed: { target: '/mqtt/connection', attributes: { rt: 'omnigate.connection', title: 'Log in, keep alive, log out' } },
}
