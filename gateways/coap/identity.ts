/**
 * Who a request speaks for. A client is its client id, not its address: one address may speak for many, and one
 * client may come back from anywhere. Whoever logged in must show the token; the others show the same credentials.
 */
import { BAD_REQUEST, FORBIDDEN, SERVICE_UNAVAILABLE, UNAUTHORIZED } from '#stacks/coap/codes'
import type { Call } from './call.ts'
import { CoapClient, type Identity } from './client.ts'
import type { Account } from './oscore/accounts.ts'
import { refusal, retryLater } from './responses.ts'
import type { AddressSession } from './session.ts'

/** The client to serve `call` for, logged in or about to be; undefined when the call has been answered with a refusal. */
export function identify(call: Call): CoapClient | undefined {
  const { session, target } = call
  const known = target.client
  if (known?.speaksFrom(session) === true && known.online) return known
  if (!speaksForItself(call)) return undefined
  const { clientId } = call
  const client = clientId === undefined ? identifyAnonymous(call) : identifyNamed(call, clientId)
  target.client = client
  return client
}

/** A client is known by its client id, wherever it is. */
export function clientOf({ link }: AddressSession, clientId: string): CoapClient | undefined {
  const session = link.sessionOf(clientId)
  return session instanceof CoapClient && session.online ? session : undefined
}

/** A client with a security context always uses it, and only for itself. False: answered with a refusal. */
export function speaksForItself(call: Call): boolean {
  const { account, clientId, session, target } = call
  const named = target.query.clientId
  if (account === undefined) {
    if (clientId === undefined || !session.gateway.accounts.claims(clientId)) return true
    session.count('protection-missing')
    call.refuse(UNAUTHORIZED, 'this client protects its requests by OSCORE')
    return false
  }
  if (named === undefined || named === account.clientId) return true
  session.count('protection-mismatch')
  call.refuse(FORBIDDEN, 'this security context is that of another client id')
  return false
}

function identifyNamed(call: Call, clientId: string): CoapClient | undefined {
  const { session, target } = call
  const { query } = target
  const { gateway } = session
  const client = clientOf(session, clientId)
  if (call.account !== undefined) {
    if (client?.account === call.account) return here(call, client)
    return login(call, { clientId, username: query.username, password: query.password, token: undefined })
  }
  if (client?.token !== undefined || query.token !== undefined || gateway.config.connectionRequired) {
    if (query.token === undefined) {
      call.refuse(BAD_REQUEST, 'Missing token or clientid in connection mode')
      return undefined
    }
    if (client === undefined || !client.hasToken(query.token)) {
      session.count('token-refused')
      call.refuse(UNAUTHORIZED, 'Invalid token or clientid in connection mode')
      return undefined
    }
    return here(call, client)
  }
  if (client?.hasCredentials(query)) return here(call, client)
  return login(call, { clientId, username: query.username, password: query.password, token: undefined })
}

function identifyAnonymous(call: Call): CoapClient | undefined {
  const { session, target } = call
  const { username, password, token } = target.query
  if (session.gateway.config.connectionRequired || token !== undefined) {
    call.deny(refusal(BAD_REQUEST, 'Missing token or clientid in connection mode'))
    return undefined
  }
  if (session.anonymous?.hasCredentials(target.query)) return session.anonymous
  return login(call, { clientId: '', username, password, token: undefined })
}

/** The client speaks from this address now: what it observes follows. */
function here(call: Call, client: CoapClient): CoapClient | undefined {
  const { session } = call
  if (client.speaksFrom(session)) return client
  if (!addressHasRoom(call)) return undefined
  client.moveTo(session)
  return client
}

/** A client that logs in with its first request, or the one whose login is under way. */
export function login(call: Call, said: Omit<Identity, 'account'>): CoapClient | undefined {
  const { session } = call
  const identity = identityOf(said, call.account)
  return session.loginOf(loginKey(identity), (decided) => {
    if (!addressHasRoom(call) || !gatewayHasRoom(call)) return undefined
    return session.link.branch((link) => new CoapClient(session, link, identity, decided)) as CoapClient
  })
}

/** Credentials that the device does not name are those of its account, if it has one. */
function identityOf({ clientId, username, password, token }: Omit<Identity, 'account'>, account: Account | undefined): Identity {
  if (account === undefined) return { clientId, username, password, token, account }
  const own = username === undefined && password === undefined ? account : { username, password }
  return { clientId: account.clientId, username: own.username, password: own.password, token, account }
}

function loginKey({ clientId, username, password, token, account }: Identity): string {
  return JSON.stringify([clientId, username, password, token !== undefined, account?.name])
}

/** False: answered with a refusal. */
function addressHasRoom(call: Call): boolean {
  const { session } = call
  if (session.clients < session.gateway.config.limits.maxClientsPerAddress) return true
  session.count('address-full')
  call.respond(retryLater(SERVICE_UNAVAILABLE, 'too many clients at this address'))
  return false
}

/** False: answered with a refusal. */
function gatewayHasRoom(call: Call): boolean {
  const { session } = call
  if (session.gateway.online < session.gateway.config.limits.maxClients) return true
  session.count('gateway-full')
  call.respond(retryLater(SERVICE_UNAVAILABLE, 'too many clients'))
  return false
}
