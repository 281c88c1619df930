/** A gateway small enough to show what the host does: words in, calls out. */
import {
  type CloseReason,
  type ConfigSchema,
  type ConnectOutcome,
  type Delivery,
  defineGateway,
  type GatewayModule,
  type Link,
  Message,
  malformed,
  type PublishOutcome,
  type Session,
} from '../../../src/sdk.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const anything: ConfigSchema<object> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as object }) },
}

/** One word a chunk: `id NAME`, `stay NAME` (a session that is kept), `willed TOPIC`, `will TOPIC`, `lose`, `pub TOPIC`, `sub FILTER`, `unsub FILTER`, `throw`, `arm MS`, `bad`, `branch NAME`, `leaf WORDS` (to the branch), `rest`, `wake`, `bye`, `rebind NAME`. */
class EchoSession implements Session {
  readonly #link: Link
  readonly #known: Map<string, Link>
  #leaf: EchoSession | undefined = undefined

  constructor(link: Link, known: Map<string, Link>) {
    this.#link = link
    this.#known = known
  }

  onBytes(bytes: Uint8Array): void {
    const [verb = '', argument = ''] = decode(bytes).split(' ')
    const link = this.#link
    switch (verb) {
      case 'id':
        return link.connect({ clientId: argument, protocol: 'echo', cleanStart: true, expiryMs: 0, keepAliveMs: 0 })
      case 'stay':
        return link.connect({ clientId: argument, protocol: 'echo', cleanStart: false, expiryMs: 60_000, keepAliveMs: 0 })
      case 'willed': {
        const will = { message: new Message(argument, encode('gone')), delayMs: 0 }
        return link.connect({ clientId: 'willed', protocol: 'echo', cleanStart: true, expiryMs: 0, keepAliveMs: 0, will })
      }
      case 'pub':
        return link.publish(new Message(argument, encode('x')), 1)
      case 'sub':
        return link.subscribe(argument, { qos: 0 })
      case 'unsub':
        link.unsubscribe(argument)
        return
      case 'will': {
        const will = argument === '' ? undefined : { message: new Message(argument, encode('gone')), delayMs: 0 }
        if (link.clientId !== undefined) return link.setWill(will)
        return link.connect({
          clientId: '',
          protocol: 'echo',
          cleanStart: true,
          expiryMs: 0,
          keepAliveMs: 0,
          ...(will && { will }),
        })
      }
      case 'lose':
        return link.disconnect(true, undefined, 'unreachable')
      case 'arm':
        return link.arm(7, Number(argument))
      case 'bad':
        return link.malformed(malformed('bad-word'))
      case 'branch':
        link.branch((inner) => {
          const session = new EchoSession(inner, this.#known)
          session.onBytes(encode(`id ${argument}`))
          this.#leaf = session
          return session
        })
        return
      case 'leaf':
        this.#leaf?.onBytes(bytes.subarray(verb.length + 1))
        return
      case 'rest':
        return link.send(encode(`rests ${link.rest()}`))
      case 'wake':
        return link.wake()
      case 'rebind': {
        const owner = this.#known.get(argument)
        if (owner !== undefined && owner !== link) return link.yieldTo(owner)
        return link.send(encode(`owned by ${link.clientId}`))
      }
      case 'move': {
        const owner = this.#known.get(argument)
        owner?.moveTo(link)
        return
      }
      case 'bye':
        return link.close('disconnected')
      case 'throw':
        throw new Error('a bug in this session')
    }
  }

  onTimer(timer: number): void {
    this.#link.send(encode(`timer ${timer}`))
  }

  onConnect(outcome: ConnectOutcome): void {
    if (outcome.ok) this.#known.set(outcome.clientId, this.#link)
    this.#link.send(encode(outcome.ok ? `welcome ${outcome.clientId}` : `refused ${outcome.reason}`))
  }

  onDeliver(delivery: Delivery): void {
    if (delivery.message.topic === 'poison') throw new Error('a bug in delivery')
    this.#link.send(encode(`got ${delivery.message.topic}`))
  }

  onPublished(_tag: number, outcome: PublishOutcome): void {
    this.#link.send(encode(outcome))
  }

  onWake(session: Session): void {
    ;(session as EchoSession).#leaf = this
    this.#link.send(encode('woken'))
  }

  onClose(reason: CloseReason): void {
    this.#link.send(encode(`closing ${reason}`))
  }
}

export function echoGateway(known = new Map<string, Link>()): GatewayModule<object> {
  return defineGateway<object>({
    name: 'echo',
    title: 'Echo',
    spec: 'echo',
    transports: ['tcp', 'udp'],
    listeners: [],
    config: anything,
    create: () => ({ open: (link) => new EchoSession(link, known) }),
  })
}
