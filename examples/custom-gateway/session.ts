/**
 * One device on one connection. Events come in, calls on `Link` go out: no socket, clock, promise or logger, so that the
 * same code runs on a socket, in a test without time, and under a fuzzer.
 */
import type {
  CloseReason,
  Command,
  ConnectOutcome,
  Delivery,
  FrameSink,
  Link,
  Malformed,
  PublishOutcome,
  Session,
} from 'omnigate/sdk'
import { CommandDesk, deviceTopic, isAccepted, isMalformed, malformed } from 'omnigate/sdk'
import { decodeLine, encodeLine, type Line, LineFramer, type Verb } from './codec/index.ts'
import type { Config } from './config.ts'
import { parseValues, telemetry, telemetryTopic, textOfCommand } from './topics.ts'

const SILENCE = 1
const DEADLINE = 2

/** `DOWN`, a number of five digits, their spaces and the end of the line. */
const DOWN_OVERHEAD_BYTES = 12

export class LineSession implements Session, FrameSink {
  readonly #link: Link
  readonly #config: Config
  readonly #framer: LineFramer
  readonly #desk: CommandDesk
  /** Commands that wait for DONE or FAIL, by the number that they were sent under. Bounded by the delivery window. */
  readonly #commands = new Map<number, Command>()
  #closed = false

  constructor(link: Link, config: Config) {
    this.#link = link
    this.#config = config
    this.#framer = new LineFramer(config.maxLine)
    this.#desk = new CommandDesk(link, DEADLINE)
    link.arm(SILENCE, config.loginTimeout)
  }

  onBytes(bytes: Uint8Array): void {
    this.#framer.push(bytes, this)
  }

  /** One line. Answering false stops the framer while the login is being decided, and for good after the close. */
  frame(bytes: Uint8Array): boolean {
    if (this.#closed) return false
    const line = decodeLine(bytes)
    if (isMalformed(line)) this.malformed(line)
    else if (this.#link.clientId === undefined) this.#admit(line)
    else this.#receive(line)
    return !this.#closed && !this.#link.connecting
  }

  malformed(error: Malformed): void {
    if (this.#closed) return
    this.#link.malformed(error)
    this.#say('ERR', 0, error.malformed)
    if (error.fatal) this.#link.close('too-large')
  }

  #admit({ verb, text }: Line): void {
    if (verb !== 'LOGIN') {
      this.#link.count('unexpected-line')
      this.#say('ERR', 0, 'login first')
      return
    }
    this.#link.connect({
      clientId: text,
      protocol: 'line',
      cleanStart: true,
      expiryMs: 0,
      keepAliveMs: this.#config.idleTimeout,
      // Every command gets a number and an answer, whatever QoS it was published with.
      trackQos0: true,
    })
  }

  onConnect(outcome: ConnectOutcome): void {
    if (!outcome.ok) {
      this.#say('ERR', 0, outcome.reason)
      this.#link.close('not-authorized')
      return
    }
    this.#link.arm(SILENCE, this.#config.idleTimeout)
    this.#link.subscribe(deviceTopic(outcome.clientId, 'down/command'), { qos: 1, liveOnly: true })
    this.#say('WELCOME', 0, outcome.clientId)
  }

  #receive({ verb, number, text }: Line): void {
    this.#link.arm(SILENCE, this.#config.idleTimeout)
    switch (verb) {
      case 'DATA':
        this.#report(number, text)
        break
      case 'DONE':
        this.#settle(number, (command) => this.#desk.succeed(command))
        break
      case 'FAIL':
        this.#settle(number, (command) => this.#desk.fail(command, 'refused', text))
        break
      case 'PING':
        this.#say('PONG')
        break
      case 'BYE':
        this.#link.close('disconnected')
        break
      default:
        this.#link.count('unexpected-line')
        this.#say('ERR', 0, `${verb} is not for devices`)
    }
  }

  #report(number: number, text: string): void {
    const values = parseValues(text)
    if (values === undefined) {
      this.#link.malformed(malformed('no-json-object'))
      this.#say('NO', number, 'no JSON object')
    } else if (this.#link.wanted(telemetryTopic(this.#link))) {
      this.#link.publish(telemetry(this.#link, values), number)
    } else {
      // Nobody listens: the envelope need not be built, and the report is accepted.
      this.#say('OK', number)
    }
  }

  /** Only now does the device learn that its report was taken. */
  onPublished(number: number, outcome: PublishOutcome): void {
    if (isAccepted(outcome)) this.#say('OK', number)
    else this.#say('NO', number, outcome)
  }

  onDeliver(delivery: Delivery): void {
    const command = this.#desk.accept(delivery)
    if (command === undefined) return
    const text = textOfCommand(command, this.#config.maxLine - DOWN_OVERHEAD_BYTES)
    if (typeof text !== 'string') {
      this.#desk.fail(command, text.code, text.message)
      return
    }
    this.#commands.set(delivery.id, command)
    this.#say('DOWN', delivery.id, text)
  }

  #settle(number: number, answer: (command: Command) => void): void {
    const command = this.#commands.get(number)
    if (command === undefined) {
      this.#link.count('unmatched-answer')
      return
    }
    this.#commands.delete(number)
    answer(command)
  }

  onTimer(timer: number): void {
    if (timer === DEADLINE) this.#desk.expire((command) => this.#commands.delete(command.delivery))
    else this.#link.close(this.#link.clientId === undefined ? 'connect-timeout' : 'keepalive-timeout')
  }

  onClose(_reason: CloseReason): void {
    this.#closed = true
    this.#desk.close()
  }

  describe(): Readonly<Record<string, unknown>> {
    return { pendingCommands: this.#commands.size }
  }

  #say(verb: Verb, number = 0, text = ''): void {
    this.#link.send(encodeLine({ verb, number, text }))
  }
}
